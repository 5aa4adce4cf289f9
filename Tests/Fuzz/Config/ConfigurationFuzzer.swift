import Config

/// libFuzzer's entry for configurations: whatever the bytes, loading ends in a configuration or in problems.
///
/// A configuration that loads must print as one that loads and prints the same; a problem must lie in the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    do throws(ConfigError) {
        let configuration = try load(bytes)
        if configuration.servicesFile == nil { checkPrinted(configuration.json) }
    } catch {
        if error.diagnostics.isEmpty { fatalError("refused without a reason") }
        let lines = bytes.count { $0 == 0x0A || $0 == 0x0D || $0 >= 0x80 } + 1
        for diagnostic in error.diagnostics where diagnostic.position.line > lines {
            fatalError("\(diagnostic) lies behind the file's end")
        }
    }
    return 0
}

private func checkPrinted(_ text: String) {
    do throws(ConfigError) {
        let again = try load(Array(text.utf8)).json
        if again != text { fatalError("printed again it differs:\n\(text)\n\(again)") }
    } catch {
        fatalError("what was printed is refused: \(error)\n\(text)")
    }
}

/// The input is the configuration and, should it name one, the services file too.
private func load(_ bytes: [UInt8]) throws(ConfigError) -> Configuration {
    let loader = ConfigurationLoader(readFile: { (_, _) throws(FileProblem) in bytes })
    return try loader.load(path: "input")
}
