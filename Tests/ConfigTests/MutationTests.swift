import Testing

@testable import Config

/// Files that break off or have a byte changed end in a configuration or in problems, never in a crash or a hang.
@Suite struct MutationTests {
    @Test(arguments: [Example.yaml, Example.json, EncryptedExample.yaml])
    func everyTruncationIsSurvived(text: String) {
        let bytes = Array(text.utf8)
        var refused = 0
        for length in bytes.indices where !problems(bytes: Array(bytes[..<length])).isEmpty { refused += 1 }
        // Cut between two lines of YAML there often is a good configuration; JSON is never good before its end.
        #expect(refused > bytes.count / 2)
    }

    @Test(arguments: [Example.yaml, Example.json, EncryptedExample.yaml])
    func everyChangedByteIsSurvived(text: String) {
        let bytes = Array(text.utf8)
        let replacements: [UInt8] = [
            0x00, 0x09, 0x0A, 0x20, 0x22, 0x2A, 0x26, 0x3A, 0x5B, 0x7D, 0x5C, 0x80, 0xFF,
        ]
        var refused = 0
        for index in bytes.indices {
            // Two of them at each place, all of them around it.
            for offset in [0, 7] {
                var changed = bytes
                changed[index] = replacements[(index + offset) % replacements.count]
                if !problems(bytes: changed).isEmpty { refused += 1 }
            }
        }
        #expect(refused > bytes.count / 2)
    }

    @Test func problemsAreAlwaysWithinTheFile() {
        let bytes = Array(Example.yaml.utf8)
        let lines = bytes.count { $0 == 0x0A } + 1
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[index] = 0x5B
            do throws(ConfigError) {
                _ = try load(bytes: changed)
            } catch {
                #expect(error.diagnostics.allSatisfy { $0.position.line <= lines })
                #expect(error.diagnostics.allSatisfy { $0.position.column > 0 || $0.position.line == 0 })
            }
        }
    }
}
