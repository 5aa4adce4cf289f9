/// Who a client is, as its verified certificate says.
///
/// Made once per connection, immutable, then only read: conditions of routes compare its bytes as they lie here.
package final class ClientIdentity: Sendable {
    /// An alternative name of the subject (RFC 5280 §4.2.1.6).
    package struct AlternativeName: Equatable, Sendable {
        package enum Kind: Sendable { case dns, uri, ip, email }

        package let kind: Kind
        package let value: String

        package init(kind: Kind, value: String) {
            self.kind = kind
            self.value = value
        }
    }

    /// The distinguished name (RFC 2253).
    package let subject: String
    package let alternativeNames: [AlternativeName]
    /// SHA-256 of the certificate, in hexadecimal digits.
    package let fingerprint: String

    let subjectBytes: [UInt8]
    let alternativeNameBytes: [[UInt8]]
    /// This client's element of `X-Forwarded-Client-Cert`.
    let forwardedElement: [UInt8]

    package init(subject: String, alternativeNames: [AlternativeName], fingerprint: String) {
        self.subject = subject
        self.alternativeNames = alternativeNames
        self.fingerprint = fingerprint
        subjectBytes = Array(subject.utf8)
        alternativeNameBytes = alternativeNames.map { Array($0.value.utf8) }
        forwardedElement = Self.element(subject, alternativeNames, fingerprint)
    }

    /// `Hash=...;Subject="...";URI=...;DNS=...`, as Envoy writes it.
    private static func element(_ subject: String, _ names: [AlternativeName], _ fingerprint: String) -> [UInt8] {
        var element = Array("Hash=\(fingerprint);Subject=".utf8)
        appendQuoted(subject, to: &element)
        for (kind, key) in [(AlternativeName.Kind.uri, ";URI="), (.dns, ";DNS=")] {
            for name in names where name.kind == kind {
                element += key.utf8
                if isPlain(name.value) { element += name.value.utf8 } else { appendQuoted(name.value, to: &element) }
            }
        }
        return element
    }

    /// Whether a value can stand without quotes.
    private static func isPlain(_ value: String) -> Bool {
        value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="): false
            default: byte > 0x20 && byte < 0x7F
            }
        }
    }

    /// In quotes. Who asks for a certificate chooses the words in it: quotes are escaped, and the backslash as well, or one
    /// in front of a quote would undo that. Control characters, which no field value may hold, become `?`.
    private static func appendQuoted(_ value: String, to element: inout [UInt8]) {
        element.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { element.append(UInt8(ascii: "\\")) }
            element.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
        element.append(UInt8(ascii: "\""))
    }
}
