import COpenSSL
import Core

/// One of the names that a certificate was issued for (RFC 5280 §4.2.1.6).
package struct TLSName: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case dns, uri, ip, email
    }

    package let kind: Kind
    /// Printable ASCII; an address in its usual form.
    package let value: String

    package init(kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }

    /// A certificate's alternative names, in its order. Those of other kinds are left out, and any with a byte that a name
    /// cannot have: one that is cut short by a NUL, or breaks a line, must not pass for another.
    @unsafe
    static func alternatives(of certificate: OpaquePointer) -> [TLSName] {
        // SAFETY: the certificate is alive, by the caller's word; the names are read before they are freed.
        guard let names = unsafe sidecar_x509_names(certificate) else { return [] }
        defer { unsafe sidecar_names_free(names) }
        var found: [TLSName] = []
        for index in 0..<(unsafe sidecar_names_count(names)) {
            var start: UnsafePointer<UInt8>?
            var count: Int32 = 0
            let type = unsafe sidecar_names_at(names, index, &start, &count)
            guard let start = unsafe start else { continue }
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
            if let name = TLSName(type: type, bytes) { found.append(name) }
        }
        return found
    }

    private init?(type: Int32, _ bytes: [UInt8]) {
        switch type {
        case GEN_IPADD:
            guard let address = IPAddress(octets: bytes) else { return nil }
            self.init(kind: .ip, value: address.description)
        case GEN_DNS, GEN_URI, GEN_EMAIL:
            guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
            let kind: Kind = type == GEN_DNS ? .dns : type == GEN_URI ? .uri : .email
            self.init(kind: kind, value: String(decoding: bytes, as: UTF8.self))
        default: return nil
        }
    }
}

extension IPAddress {
    /// From 4 or 16 octets in network order.
    fileprivate init?(octets: [UInt8]) {
        func number(_ range: Range<Int>) -> UInt64 { octets[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self.init(v4: UInt32(number(0..<4)))
        case 16: self.init(high: number(0..<8), low: number(8..<16))
        default: return nil
        }
    }
}
