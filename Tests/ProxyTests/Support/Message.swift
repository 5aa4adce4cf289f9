/// An HTTP/1 message as a test reads it, by the shortest way: nothing here is shared with the proxy.
struct Message {
    var startLine = ""
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    var trailers: [(name: String, value: String)] = []

    var status: Int { Int(startLine.split(separator: " ")[1]) ?? 0 }
    var path: String { String(startLine.split(separator: " ")[1]) }
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The first value of that name, in lower case.
    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    fileprivate static func fields(_ lines: some Sequence<Substring>) -> [(name: String, value: String)] {
        lines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.startIndex
            let value = line[colon...].dropFirst().drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
    }
}

extension Peer {
    /// A message's head, without its body.
    func readHead() throws -> Message {
        let lines = try read(to: "\r\n\r\n").split(separator: "\r\n")
        return Message(startLine: String(lines[0]), fields: Message.fields(lines.dropFirst()))
    }

    /// A whole message. `isHead`: it answers a HEAD request.
    func readMessage(isHead: Bool = false) throws -> Message {
        var message = try readHead()
        let isResponse = message.startLine.hasPrefix("HTTP/")
        if isHead || isResponse && (message.status < 200 || message.status == 204 || message.status == 304) {
            return message
        }
        if message["transfer-encoding"] == "chunked" {
            while let chunk = try readChunk() { message.body += chunk }
            while case let line = try read(to: "\r\n"), !line.isEmpty {
                message.trailers += Message.fields([line[...]])
            }
        } else if let length = message["content-length"].flatMap({ Int($0) }) {
            message.body = try read(length)
        } else if isResponse {
            message.body = try readToEnd()
        }
        return message
    }

    /// A chunk's payload; nil for the last one, whose trailers follow.
    func readChunk() throws -> [UInt8]? {
        let size = Int(try read(to: "\r\n"), radix: 16) ?? 0
        guard size > 0 else { return nil }
        let payload = try read(size)
        _ = try read(2)
        return payload
    }

    // MARK: What the tests say most

    func sendGet(_ path: String = "/") throws { try send("GET \(path) HTTP/1.1\r\nHost: app\r\n\r\n") }

    func sendResponse(_ body: String = "", status: String = "200 OK", fields: String = "") throws {
        try send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)")
    }

    /// The head of a response whose body follows.
    func sendResponseHead(_ length: Int) throws { try send("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n") }
}

extension [UInt8] {
    /// As many bytes, of which no two pieces that could be mistaken for each other are equal.
    static func pattern(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }
}
