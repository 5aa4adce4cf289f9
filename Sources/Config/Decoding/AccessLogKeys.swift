extension AccessLogConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        if let node = keys.node("path"),
            let text = keys.context.text(node, "path", expected: "stdout, stderr or a file")
        {
            switch text {
            case "stdout": path = .stdout
            case "stderr": path = .stderr
            case "": keys.context.report(node.mark, "path: expected stdout, stderr or a file, found nothing")
            default: path = .file(text)
            }
        }
        format = keys.choice("format") ?? format
        bufferBytesMax = keys.size("buffer", in: 4096...(1 << 30)) ?? bufferBytesMax
    }

    func encode(_ json: inout JSONPrinter) {
        switch path {
        case .stdout: json.member("path", "stdout")
        case .stderr: json.member("path", "stderr")
        case .file(let file): json.member("path", file)
        }
        json.member("format", format.rawValue)
        json.member("buffer", bytes: bufferBytesMax)
    }
}
