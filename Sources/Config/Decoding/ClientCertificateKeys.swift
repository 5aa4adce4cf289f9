extension ClientCertificateCondition: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        isPresent = keys.flag("present")
        let subject = keys.node("subject")
        let san = keys.node("san")
        if let subject { self.subject = context.test(subject, "subject") }
        if let san { self.san = context.test(san, "san") }
        if isPresent == false, subject != nil || san != nil {
            context.report(
                keys.mark, "client_certificate: where none is present there is neither subject nor san to ask for")
        }
        if keys.entries.isEmpty {
            context.report(keys.mark, "client_certificate: a condition needs one of present, subject and san")
        }
    }

    func encode(_ json: inout JSONPrinter) {
        if let isPresent { json.member("present", isPresent) }
        if let subject { json.member("subject", test: subject) }
        if let san { json.member("san", test: san) }
    }
}
