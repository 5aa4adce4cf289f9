import Core
import Testing

@testable import Config

/// What the keys of TLS, HTTP/2 and gRPC become.
@Suite struct EncryptedConfigurationTests {
    private let configuration: Configuration

    init() throws { configuration = try load(EncryptedExample.yaml) }

    @Test func aListenersTLSArrivesWhole() throws {
        let tls = try #require(configuration.listeners[0].tls)
        #expect(
            tls.certificates == [
                CertificateConfiguration(certificate: "/certs/a.crt", key: "/certs/a.key"),
                CertificateConfiguration(certificate: "/certs/b.crt", key: "/certs/b.key"),
            ])
        #expect(tls.policy.minVersion == .v12)
        #expect(tls.policy.maxVersion == .v13)
        #expect(tls.policy.ciphers == ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"])
        #expect(tls.policy.ciphersuites == ["TLS_AES_128_GCM_SHA256"])
        #expect(tls.policy.curves == ["X25519", "P-256"])
        #expect(tls.clientAuthentication == .optional)
        #expect(tls.clientCA == "/certs/clients.pem")
        #expect(tls.clientCRL == "/certs/revoked.pem")
        #expect(!tls.sessionTickets)
        #expect(tls.ticketRotation == .seconds(6 * 3600))
        #expect(tls.handshakeTimeout == .seconds(3))
        #expect(configuration.listeners[0].forwarded.clientCertificate)
    }

    @Test func oneCertificateNeedsNoList() throws {
        let tls = try #require(configuration.listeners[1].tls)
        #expect(tls.certificates == [CertificateConfiguration(certificate: "/certs/a.crt", key: "/certs/a.key")])
        #expect(tls.policy.minVersion == .v13)
        #expect(tls.clientAuthentication == .none)
        #expect(tls.sessionTickets)
        #expect(tls.ticketRotation == .seconds(12 * 3600))
        #expect(tls.handshakeTimeout == .seconds(10))
    }

    @Test func aListenersHTTP2ArrivesWhole() {
        let http2 = configuration.listeners[0].http2
        #expect(http2.isEnabled)
        #expect(http2.streamsMax == 250)
        #expect(http2.streamWindow == 256 << 10)
        #expect(http2.connectionWindow == 2 << 20)
        #expect(!http2.extendedConnect)
        #expect(http2.pingInterval == .seconds(30))
        #expect(http2.pingTimeout == .seconds(5))
        #expect(http2.ageMax == .seconds(600))
        #expect(http2.ageJitterInEffect == .seconds(90))
        #expect(http2.ageGrace == .seconds(60))
        #expect(http2.limits.continuationsMax == 4)
        #expect(http2.limits.resetsMax == 100)
        #expect(http2.limits.pingsMax == 20)
        #expect(http2.limits.settingsMax == 10)
        #expect(http2.limits.emptyFramesMax == 40)
        #expect(http2.limits.windowUpdatesMax == 1000)
        #expect(http2.limits.prioritiesMax == 50)
        #expect(http2.limits.interval == .seconds(5))
    }

    @Test func aTenthOfTheAgeIsLeftToChance() {
        let http2 = configuration.listeners[1].http2
        #expect(!http2.isEnabled)
        #expect(http2.ageJitterInEffect == .seconds(360))
        #expect(HTTP2ListenerConfiguration().ageJitterInEffect == .zero)
    }

    @Test func theConnectionsWindowIsNeverLessThanAStreams() throws {
        let text = "listeners: [{name: a, address: \"0.0.0.0:80\", http2: {stream_window: 4MiB}}]"
        #expect(try load(text).listeners[0].http2.connectionWindow == 4 << 20)
    }

    @Test func aServicesTLSArrivesWhole() throws {
        let service = configuration.services[0]
        #expect(service.protocolName == .grpc)
        let tls = try #require(service.tls)
        #expect(tls.ca == "/certs/ca.pem")
        #expect(tls.serverName == "orders.shop.local")
        #expect(tls.insecureSkipVerify)
        #expect(tls.certificate == CertificateConfiguration(certificate: "/certs/me.crt", key: "/certs/me.key"))
        #expect(tls.policy.minVersion == .v13)
        #expect(tls.policy.maxVersion == .v13)
        #expect(tls.policy.ciphersuites == ["TLS_CHACHA20_POLY1305_SHA256"])
        #expect(tls.policy.curves == ["X25519"])
    }

    @Test func anEmptyTLSSectionOfAServiceTurnsItOn() {
        #expect(configuration.services[1].tls == TLSServiceConfiguration())
        #expect(configuration.services[2].tls == nil)
    }

    @Test func aServicesHTTP2ArrivesWhole() {
        let http2 = configuration.services[0].http2
        #expect(http2.streamsMax == 50)
        #expect(http2.streamWindow == 1 << 20)
        #expect(http2.connectionWindow == 16 << 20)
        #expect(http2.pingInterval == .seconds(60))
        #expect(http2.pingTimeout == .seconds(10))
        #expect(configuration.services[1].http2 == HTTP2ServiceConfiguration())
    }

    @Test func conditionsOnCallsAndCertificatesArriveWhole() throws {
        let routes = configuration.routes
        #expect(routes[0].location == .grpc(service: "shop.Orders", method: "Place"))
        #expect(routes[0].location.path == .exact("/shop.Orders/Place"))
        #expect(routes[1].location == .grpc(service: "shop.Orders", method: nil))
        #expect(routes[1].location.path == .prefix("/shop.Orders/", beatsRegex: false))
        let condition = try #require(routes[0].clientCertificate)
        #expect(condition.subject == .prefix("CN=web,"))
        #expect(condition.san == .exact("spiffe://shop/web"))
        #expect(condition.isPresent == true)
        #expect(routes[1].clientCertificate == nil)
        #expect(routes[2].clientCertificate?.isPresent == false)
    }

    @Test func whatIsPrintedIsTheSameConfiguration() throws {
        let printed = configuration.json
        #expect(try load(printed).json == printed)
        for key in ["certificates", "client_crl", "age_jitter", "grpc", "client_certificate", "server_name"] {
            #expect(printed.contains("\"\(key)\": "))
        }
    }

    @Test func filesLieBesideTheFileThatNamesThem() throws {
        let texts = [
            "/etc/s/a.yaml": """
            services_file: more/s.yaml
            listeners:
              - name: a
                address: 0.0.0.0:443
                tls: {certificate: tls/a.crt, key: /keys/a.key, client_auth: required, client_ca: ca.pem}
            """,
            "/etc/s/more/s.yaml": "services: [{name: s, endpoints: [], tls: {ca: ca.pem}}]",
        ]
        let loader = ConfigurationLoader(readFile: { (path, _) throws(FileProblem) in
            guard let text = texts[path] else { throw FileProblem("cannot be read: there is no such file") }
            return Array(text.utf8)
        })
        let configuration = try loader.load(path: "/etc/s/a.yaml")
        let tls = try #require(configuration.listeners[0].tls)
        #expect(
            tls.certificates == [CertificateConfiguration(certificate: "/etc/s/tls/a.crt", key: "/keys/a.key")])
        #expect(tls.clientCA == "/etc/s/ca.pem")
        #expect(configuration.services[0].tls?.ca == "/etc/s/more/ca.pem")
    }
}
