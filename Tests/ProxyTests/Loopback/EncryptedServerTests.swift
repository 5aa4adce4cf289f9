import Config
import Core
import IO
import TestSupport
import Testing

@testable import Proxy

/// A server that is its own client: plain listeners whose services speak TLS with one that ends it before the upstream.
@Suite struct EncryptedServerTests {
    private let authority: TestAuthority
    private let upstream: ScriptedUpstream
    private let scratch = ScratchDirectory()

    init() throws {
        authority = try TestAuthority()
        upstream = try ScriptedUpstream()
    }

    private func address(_ name: String) -> SocketAddress { .unix(scratch.path + "/" + name) }

    /// Listener `secure` asks for certificates, and a route of its sends those who show one to the upstream. What comes to
    /// listener `known` is sent there with a certificate, and what comes to `anonymous` without.
    private func configuration(_ protocolName: ServiceConfiguration.ProtocolName) -> Configuration {
        var configuration = Configuration()
        configuration.workers = .count(1)
        configuration.logLevel = .error
        configuration.admin.address = address("admin")
        var log = AccessLogConfiguration()
        log.path = .file(scratch.path + "/log")
        configuration.accessLog = log

        var secure = ListenerConfiguration(name: "secure", address: address("secure"))
        var tls = TLSListenerConfiguration()
        tls.certificates = [CertificateConfiguration(authority.issue("server", names: "DNS:shop.local"))]
        tls.clientAuthentication = .optional
        tls.clientCA = authority.caPath
        secure.tls = tls
        secure.forwarded.clientCertificate = true
        configuration.listeners = [secure]
        let client = CertificateConfiguration(authority.issue("client", names: "DNS:till-7", subject: "till"))
        for (name, certificate) in [("known", client), ("anonymous", nil)] {
            var listener = ListenerConfiguration(name: name, address: address(name))
            listener.service = name
            configuration.listeners.append(listener)
            let endpoint = EndpointConfiguration(name: "secure", target: .address(address("secure")))
            var service = ServiceConfiguration(name: name, endpoints: [endpoint])
            service.protocolName = protocolName
            service.pool.requestsMax = 1
            var tls = TLSServiceConfiguration()
            tls.ca = authority.caPath
            tls.serverName = "shop.local"
            tls.certificate = certificate
            service.tls = tls
            configuration.services.append(service)
        }
        let endpoint = EndpointConfiguration(name: "scripted", target: .address(upstream.address))
        configuration.services.append(ServiceConfiguration(name: "app", endpoints: [endpoint]))
        var route = RouteConfiguration(name: "tills", action: .service("app"))
        var condition = ClientCertificateCondition()
        condition.subject = .prefix("CN=till,")
        route.clientCertificate = condition
        configuration.routes = [route]
        return configuration
    }

    /// Asks through a listener; the request's certificate as the upstream is told it, nil when it is not asked.
    private func ask(_ listener: String, _ path: String) throws -> (status: Int, certificate: String?) {
        let client = try Peer.connect(to: address(listener))
        try client.sendGet(path)
        guard listener == "known" else { return (try client.readMessage().status, nil) }
        let connection = try upstream.accept()
        let request = try connection.readMessage()
        try connection.sendResponse("ok", fields: "Connection: close\r\n")
        return (try client.readMessage().status, request["x-forwarded-client-cert"])
    }

    @Test(arguments: [ServiceConfiguration.ProtocolName.http, .http2])
    func aVerifiedClientIsRoutedForwardedLoggedAndCountedWhetherItResumesOrNot(
        _ protocolName: ServiceConfiguration.ProtocolName
    ) throws {
        let server = try RunningServer(configuration(protocolName))
        for path in ["/full", "/resumed"] {
            let answer = try ask("known", path)
            #expect(answer.status == 200)
            #expect(answer.certificate?.hasSuffix(";Subject=\"CN=till,O=Shop\";DNS=till-7") == true)
        }
        #expect(try ask("anonymous", "/nobody").status == 404)

        for family in [
            "sidecar_upstream_tls_handshakes_total{service=\"known\"",
            "sidecar_tls_handshakes_total{listener=\"secure\"",
        ] {
            let others = family.contains("upstream") ? 0 : 1
            #expect(try server.metric("\(family),result=\"full\"}") == 1 + others)
            #expect(try server.metric("\(family),result=\"resumed\"}") == 1)
            #expect(try server.metric("\(family),result=\"failed\"}") == 0)
        }
        let family = "sidecar_tls_certificate_expiry_timestamp_seconds"
        #expect(try server.metric("\(family){listener=\"secure\",path=\"\(authority.path("server.pem"))\"}") > 0)
        #expect(try server.metric("\(family){service=\"known\",path=\"\(authority.path("client.pem"))\"}") > 0)
        try server.stop()

        let lines = scratch.text("log").split(separator: "\n").compactMap { JSONValue(Array($0.utf8)) }
        func line(_ path: String) -> JSONValue? {
            lines.first { $0["url.path"] == .string(path) && $0["sidecar.listener"] == "secure" }
        }
        for (path, isResumed) in [("/full", false), ("/resumed", true)] {
            #expect(line(path)?["tls.resumed"] == .bool(isResumed))
            #expect(line(path)?["tls.client.subject"] == "CN=till,O=Shop")
            #expect(line(path)?["tls.client.server_name"] == "shop.local")
            #expect(line(path)?["tls.protocol.version"] == "1.3")
            #expect(line(path)?["network.protocol.version"] == (protocolName == .http ? "1.1" : "2"))
        }
        #expect(line("/nobody")?["tls.resumed"] == .bool(false))
        #expect(line("/nobody")?["tls.client.subject"] == nil)
        #expect(lines.first { $0["sidecar.listener"] == "known" }?["tls.resumed"] == nil)
    }

    @Test func anEndpointWithoutHTTP2IsNotSpokenToWhereItIsAsked() throws {
        var configuration = configuration(.http2)
        configuration.listeners[0].http2.isEnabled = false
        let server = try RunningServer(configuration)
        let client = try Peer.connect(to: address("anonymous"))
        try client.sendGet()
        let response = try client.readMessage()
        #expect(response.status == 503)
        #expect(response["x-sidecar-reason"] == "tls_failed")
        #expect(
            try server.metric("sidecar_upstream_tls_handshakes_total{service=\"anonymous\",result=\"failed\"}") == 1)
        try server.stop()
    }
}
