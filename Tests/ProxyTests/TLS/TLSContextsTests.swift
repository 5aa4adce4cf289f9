import Config
import Core
import IO
import TestSupport
import Testing

@testable import Proxy

/// What `check` and `run` say of files that TLS cannot use.
@Suite struct TLSContextsTests {
    private let authority: TestAuthority

    init() throws { authority = try TestAuthority() }

    private func configuration(_ certificate: CertificateConfiguration) -> Configuration {
        var configuration = Configuration()
        var tls = TLSListenerConfiguration()
        tls.certificates = [certificate]
        for name in ["plain", "web"] {
            configuration.listeners.append(ListenerConfiguration(name: name, address: .ip(.loopbackV4, port: 0)))
        }
        configuration.listeners[1].tls = tls
        configuration.listeners[1].tlsPosition = SourcePosition(file: "a.yaml", line: 7, column: 10)
        configuration.services = [ServiceConfiguration(name: "app", endpoints: [])]
        return configuration
    }

    private func problems(_ configuration: Configuration) -> [String] {
        do throws(ConfigError) {
            try TLSFiles.check(configuration)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }

    @Test func goodFilesMakeAContextForEachThatSpeaksTLS() throws {
        let configuration = configuration(CertificateConfiguration(authority.issue("a", names: "DNS:a.example")))
        #expect(problems(configuration) == [])
        let contexts = try TLSContexts(configuration)
        #expect(contexts.listeners.map { $0 != nil } == [false, true])
        #expect(contexts.services.map { $0 != nil } == [false])
    }

    @Test func everyProblemIsToldWhereItsSectionStands() {
        let (one, other) = (authority.issue("a", names: nil), authority.issue("b", names: nil))
        var mixed = CertificateConfiguration(one)
        mixed.key = other.files.keyPath
        var configuration = configuration(mixed)
        var tls = TLSServiceConfiguration()
        tls.ca = authority.path("absent.pem")
        configuration.services[0].tls = tls
        configuration.services[0].tlsPosition = SourcePosition(file: "a.yaml", line: 12, column: 3)
        let (certificate, key) = (one.files.certificatePath, other.files.keyPath)
        #expect(
            problems(configuration) == [
                "a.yaml:7:10: listener web: tls: key_mismatch: the key in \(key) is not that of the certificate in "
                    + certificate,
                "a.yaml:12:3: service app: tls: file_unreadable: \(authority.path("absent.pem")): "
                    + "No such file or directory",
            ])
    }
}

extension CertificateConfiguration {
    init(_ issued: TestAuthority.Issued) {
        self.init(certificate: issued.files.certificatePath, key: issued.files.keyPath)
    }
}
