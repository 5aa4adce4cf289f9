extension TLSListenerConfiguration: ConfigurationSection {
    private static let rotation: ClosedRange<Duration> = .seconds(60) ... .seconds(7 * 86_400)

    mutating func decode(_ keys: inout MappingDecoder) {
        decodeCertificates(&keys)
        policy.decode(&keys)
        decodeClients(&keys)
        sessionTickets = keys.flag("session_tickets") ?? sessionTickets
        ticketRotation = keys.duration("ticket_rotation", in: Self.rotation) ?? ticketRotation
        handshakeTimeout = keys.duration("handshake_timeout", in: .timeout) ?? handshakeTimeout
    }

    private mutating func decodeCertificates(_ keys: inout MappingDecoder) {
        let context = keys.context
        let single = keys.certificate()
        let several = keys.entry("certificates")
        if let certificate = single.value { certificates = [certificate] }
        guard let several else {
            if !single.isGiven { context.report(keys.mark, "tls needs 'certificate' and 'key', or 'certificates'") }
            return
        }
        if single.isGiven {
            context.report(several.keyMark, "tls takes either 'certificate' and 'key', or 'certificates'")
        }
        guard let items = context.list(several.value, "certificates") else { return }
        if items.isEmpty { context.report(several.value.mark, "certificates: at least one is needed") }
        certificates = items.compactMap { item in
            var certificate: CertificateConfiguration?
            MappingDecoder.decode(item, "an item of certificates", context) { keys in
                let found = keys.certificate()
                certificate = found.value
                if !found.isGiven { context.report(item.mark, "an item of certificates needs 'certificate' and 'key'") }
            }
            return certificate
        }
    }

    private mutating func decodeClients(_ keys: inout MappingDecoder) {
        let context = keys.context
        let authentication = keys.node("client_auth")
        if let authentication {
            clientAuthentication =
                context.choice(authentication, "client_auth", ClientAuthentication.self) ?? clientAuthentication
        }
        let ca = keys.entry("client_ca")
        let crl = keys.entry("client_crl")
        if let ca { clientCA = context.path(ca.value, "client_ca") }
        if let crl { clientCRL = context.path(crl.value, "client_crl") }
        if clientAuthentication != .none {
            guard ca == nil, let authentication else { return }
            context.report(
                authentication.mark,
                "client_auth: clients' certificates are verified against 'client_ca', which is not given")
        } else if authentication == nil || authentication?.text == ClientAuthentication.none.rawValue {
            for entry in [ca, crl] {
                guard let entry else { continue }
                context.report(
                    entry.keyMark, "\(entry.key) does nothing here: client_auth is none; make it optional or required")
            }
        }
    }

    func encode(_ json: inout JSONPrinter) {
        if certificates.count == 1 {
            certificates[0].encode(&json)
        } else {
            json.member("certificates", each: certificates) { json, certificate in
                json.object { certificate.encode(&$0) }
            }
        }
        policy.encode(&json)
        json.member("client_auth", clientAuthentication.rawValue)
        if let clientCA { json.member("client_ca", clientCA) }
        if let clientCRL { json.member("client_crl", clientCRL) }
        json.member("session_tickets", sessionTickets)
        json.member("ticket_rotation", ticketRotation)
        json.member("handshake_timeout", handshakeTimeout)
    }
}
