extension RequestLimits: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let requestLine = keys.size("request_line", in: 256...(1 << 20))
        headBytesMax = keys.size("head", in: 1024...(1 << 20)) ?? headBytesMax
        fieldsMax = keys.integer("fields", in: 1...4096) ?? fieldsMax
        bodyBytesMax = keys.size("body", in: 0...(1 << 50)) ?? bodyBytesMax
        if let requestLine, requestLine > headBytesMax {
            let (line, head) = (SizeText.format(UInt64(requestLine)), SizeText.format(UInt64(headBytesMax)))
            keys.context.report(keys.mark, "limits: request_line, \(line), is part of head, \(head): it cannot be more")
        }
        // A smaller head alone is a smaller request line too.
        requestLineBytesMax = min(requestLine ?? requestLineBytesMax, headBytesMax)
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("request_line", bytes: requestLineBytesMax)
        json.member("head", bytes: headBytesMax)
        json.member("fields", fieldsMax)
        if let bodyBytesMax { json.member("body", bytes: bodyBytesMax) }
    }
}
