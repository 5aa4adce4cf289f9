import Config
import Core
import IO

/// What the access log says of a client's TLS.
///
/// Rendered once per connection, so that a request's line copies it whole. What does not apply is left out.
struct TLSLogFields {
    /// `1.3`.
    var version: String
    /// `TLS_AES_128_GCM_SHA256`.
    var cipher: String
    var isResumed: Bool
    /// Whom the client asked for.
    var serverName: String?
    /// Of the client's verified certificate.
    var subject: String?

    /// The fields with the separator before each, as they stand within a line of that format.
    func rendered(_ format: AccessLogConfiguration.Format) -> [UInt8] {
        let output = Buffer(capacity: 256)
        let resumed = isResumed ? "true" : "false"
        switch format {
        case .json:
            json(",\"tls.protocol.version\":\"", version, output)
            json(",\"tls.cipher\":\"", cipher, output)
            output.append(",\"tls.resumed\":")
            output.append(resumed)
            json(",\"tls.client.server_name\":\"", serverName, output)
            json(",\"tls.client.subject\":\"", subject, output)
        case .text:
            text(" tls_version=", version, output)
            text(" tls_cipher=", cipher, output)
            output.append(" tls_resumed=")
            output.append(resumed)
            text(" tls_server_name=", serverName, output)
            text(" tls_client_subject=", subject, output)
        }
        let bytes = output.readable
        var fields: [UInt8] = []
        fields.reserveCapacity(bytes.count)
        for index in bytes.indices { fields.append(bytes[index]) }
        return fields
    }

    private func json(_ opening: StaticString, _ value: String?, _ output: Buffer) {
        guard let value else { return }
        output.append(opening)
        output.append(jsonEscaped: Array(value.utf8).span.bounded)
        output.append("\"")
    }

    private func text(_ opening: StaticString, _ value: String?, _ output: Buffer) {
        guard let value else { return }
        output.append(opening)
        output.append(textEscaped: Array(value.utf8).span.bounded, spaces: true)
    }
}

extension TLSLogFields {
    init(_ connection: TLSConnection, subject: String?) {
        let name = connection.versionName
        version = name.hasPrefix("TLSv") ? String(name.dropFirst(4)) : name
        cipher = connection.cipherName
        isResumed = connection.isResumed
        serverName = connection.serverName
        self.subject = subject
    }
}
