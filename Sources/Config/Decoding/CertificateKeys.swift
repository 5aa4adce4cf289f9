extension CertificateConfiguration {
    func encode(_ json: inout JSONPrinter) {
        json.member("certificate", certificate)
        json.member("key", key)
    }
}

extension MappingDecoder {
    /// `certificate` and `key`, which only make sense together; nil where neither stands or one is wrong.
    mutating func certificate() -> (value: CertificateConfiguration?, isGiven: Bool) {
        let certificate = entry("certificate")
        let key = entry("key")
        if let certificate, let key {
            let paths = (context.path(certificate.value, "certificate"), context.path(key.value, "key"))
            guard let first = paths.0, let second = paths.1 else { return (nil, true) }
            return (CertificateConfiguration(certificate: first, key: second), true)
        }
        if let certificate { context.report(certificate.keyMark, "a certificate needs its key, given as 'key'") }
        if let key { context.report(key.keyMark, "a key needs its certificate, given as 'certificate'") }
        return (nil, certificate != nil || key != nil)
    }
}
