extension FixedResponseConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        status = keys.integer("status", in: 200...599) ?? status
        if let node = keys.node("body"), let text = context.text(node, "body") {
            body = text
            if !body.isEmpty, status == 204 || status == 304 {
                context.report(node.mark, "body: a response with status \(status) has no body")
            }
        }
        if let node = keys.node("content_type"), let value = context.fieldValue(node, "content_type") {
            contentType = value
        }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("status", status)
        json.member("body", body)
        json.member("content_type", contentType)
    }
}
