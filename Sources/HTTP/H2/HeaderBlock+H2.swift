import Core

/// Lines that HTTP/1 has and HTTP/2 spells otherwise.
extension HeaderBlock {
    /// Adds the line `Host: value`, the value being one that stands in this block's storage. Returns where it stands in
    /// the new line.
    func recordHost(_ value: ByteRange) -> ByteRange {
        let spelling: StaticString = "Host"
        // The span below must not move while it is copied.
        storage.reserve(spelling.utf8CodeUnitCount &+ Int(value.count) &+ 4)
        append(.host, spelling.bytes) { storage in storage.append(storage.bytes(value.range)) }
        return ByteRange(start: storage.writerIndex &- 2 &- Int(value.count), count: Int(value.count))
    }

    /// Makes one `Cookie` line of several, for HTTP/2 may split it and HTTP/1 must not (RFC 9113 §8.2.3). It stands last.
    func joinCookies() {
        var bytes = 0
        for field in fields where field.name == .cookie && !field.isRemoved { bytes &+= Int(field.valueCount) &+ 2 }
        let spelling: StaticString = "cookie"
        storage.reserve(spelling.utf8CodeUnitCount &+ bytes &+ 4)
        let count = fields.endIndex
        append(.cookie, spelling.bytes) { storage in
            var isFirst = true
            for index in 0..<count where fields[index].name == .cookie && !fields[index].isRemoved {
                if !isFirst { storage.append(ASCII.semicolon, ASCII.space) }
                isFirst = false
                let field = fields[index]
                storage.append(storage.bytes(Int(field.valueStart)..<Int(field.valueStart &+ field.valueCount)))
                remove(at: index)
            }
        }
    }
}
