import Testing

@testable import Config

/// What the keys of TLS, HTTP/2 and gRPC refuse.
@Suite struct EncryptedKeyTests {
    @Test(arguments: [
        ("tls: ▸{}", "tls needs 'certificate' and 'key', or 'certificates'"),
        ("tls: ▸true", "tls: expected a mapping, found 'true'"),
        ("tls: {▸certificate: a}", "a certificate needs its key, given as 'key'"),
        ("tls: {▸key: a}", "a key needs its certificate, given as 'certificate'"),
        ("tls: {certificate: ▸'', key: a}", "certificate: expected a file, found nothing"),
        ("tls: {certificate: a, key: ▸[b]}", "key: expected a file, found a list"),
        (
            "tls: {certificate: a, key: b, ▸certificates: [{certificate: a, key: b}]}",
            "tls takes either 'certificate' and 'key', or 'certificates'"
        ),
        ("tls: {certificates: ▸[]}", "certificates: at least one is needed"),
        ("tls: {certificates: [▸{}]}", "an item of certificates needs 'certificate' and 'key'"),
        ("tls: {certificates: [▸a]}", "an item of certificates: expected a mapping, found 'a'"),
        ("tls: {@, min_version: ▸1.1}", "min_version: expected 1.2 or 1.3, found '1.1' (did you mean '1.2'?)"),
        ("tls: {@, min_version: 1.3, max_version: ▸1.2}", "max_version: 1.2 is below min_version, 1.3"),
        ("tls: {@, ciphers: ▸[]}", "ciphers: the list is empty; leave ciphers out for the library's own"),
        ("tls: {@, ciphers: [▸\"A:B\"]}", "ciphers: each name stands for itself, found 'A:B'"),
        (
            "tls: {@, min_version: 1.3, ▸ciphers: [A]}",
            "ciphers does nothing here: they are those of TLS 1.2, min_version is 1.3"
        ),
        (
            "tls: {@, max_version: 1.2, ▸ciphersuites: [A]}",
            "ciphersuites does nothing here: they are those of TLS 1.3, max_version is 1.2"
        ),
        ("tls: {@, curves: [A, ▸A]}", "curves: 'A' is listed twice"),
        (
            "tls: {@, client_auth: ▸required}",
            "client_auth: clients' certificates are verified against 'client_ca', which is not given"
        ),
        (
            "tls: {@, ▸client_ca: c}",
            "client_ca does nothing here: client_auth is none; make it optional or required"
        ),
        (
            "tls: {@, client_auth: none, ▸client_crl: c}",
            "client_crl does nothing here: client_auth is none; make it optional or required"
        ),
        ("tls: {@, client_auth: ▸[], client_ca: c}", "client_auth: expected none, optional or required, found a list"),
        ("tls: {@, session_tickets: ▸no}", "session_tickets: expected true or false, found 'no'"),
        ("tls: {@, ticket_rotation: ▸59s}", "ticket_rotation: must be 1m to 168h, found 59s"),
        ("tls: {@, handshake_timeout: ▸0s}", "handshake_timeout: must be 1ms to 24h, found 0s"),
        ("tls: {@, ▸cert: a}", "unknown key 'cert' (did you mean 'certificate'?)"),
        ("http2: {streams_max: ▸0}", "streams_max: must be 1 to 10000, found 0"),
        ("http2: {stream_window: ▸8KiB}", "stream_window: must be 16KiB to 16MiB, found 8KiB"),
        ("http2: {connection_window: ▸32KiB}", "connection_window: must be 64KiB to 256MiB, found 32KiB"),
        (
            "http2: {stream_window: 1MiB, connection_window: ▸64KiB}",
            "connection_window: 64KiB is less than stream_window, 1MiB, which no stream could use"
        ),
        ("http2: {extended_connect: ▸1}", "extended_connect: expected true or false, found '1'"),
        ("http2: {ping_interval: ▸500ms}", "ping_interval: must be 1s to 24h, found 500ms"),
        ("http2: {ping_timeout: ▸20}", "ping_timeout: 20 has no unit: write 20s"),
        ("http2: {▸age_jitter: 1s}", "age_jitter does nothing here: there is no age_max"),
        ("http2: {age_max: 1m, age_jitter: ▸2m}", "age_jitter: 2m is more than age_max, 1m"),
        ("http2: {age_max: ▸0s, age_jitter: 1s}", "age_max: must be 1ms to 24h, found 0s"),
        ("http2: {age_grace: ▸0s}", "age_grace: must be 1ms to 24h, found 0s"),
        ("http2: {limits: {continuations: ▸0}}", "continuations: must be 1 to 1024, found 0"),
        ("http2: {limits: {resets: ▸0}}", "resets: must be 1 to 1000000, found 0"),
        ("http2: {limits: {interval: ▸10ms}}", "interval: must be 1s to 1h, found 10ms"),
        (
            "protocol: ▸tcp",
            "protocol: expected auto, http or tls_passthrough, found 'tcp'"
        ),
        (
            "protocol: tls_passthrough, ▸tls: {@}",
            "tls does nothing here: protocol is tls_passthrough, nothing is decrypted"
        ),
        (
            "protocol: tls_passthrough, ▸http2: {}",
            "http2 does nothing here: protocol is tls_passthrough, nothing is decrypted"
        ),
        ("forwarded: {client_certificate: ▸yes}", "client_certificate: expected true or false, found 'yes'"),
    ])
    func listenersAreChecked(keys: String, problem: String) {
        var keys = keys
        if let at = keys.firstIndex(of: "@") { keys.replaceSubrange(at...at, with: "certificate: a, key: b") }
        let (text, problem) = marked("listeners:\n  - {name: a, address: \"0.0.0.0:80\", \(keys)}\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test(arguments: [
        ("tls: {▸certificate: a}", "a certificate needs its key, given as 'key'"),
        ("tls: {ca: ▸''}", "ca: expected a file, found nothing"),
        ("tls: {server_name: ▸\"a b\"}", "server_name: expected a host name or an address, found 'a b'"),
        ("tls: {server_name: ▸\"a:443\"}", "server_name: expected a host name or an address, found 'a:443'"),
        ("tls: {server_name: ▸10.0.0.300}", "server_name: expected a host name or an address, found '10.0.0.300'"),
        ("tls: {insecure_skip_verify: ▸on}", "insecure_skip_verify: expected true or false, found 'on'"),
        (
            "tls: {▸client_ca: a}",
            "unknown key 'client_ca': tls takes ca, server_name, insecure_skip_verify, certificate, key, min_version, "
                + "max_version, ciphers, ciphersuites, curves"
        ),
        ("▸http2: {}", "http2 does nothing here: the service's protocol is http, which is HTTP/1.1"),
        ("protocol: http2, http2: {streams_max: ▸10001}", "streams_max: must be 1 to 10000, found 10001"),
        ("protocol: tcp, ▸tls: {}", "tls does nothing here: the service's protocol is tcp"),
        ("protocol: tcp, ▸limits: {}", "limits does nothing here: the service's protocol is tcp"),
        (
            "protocol: ▸https",
            "protocol: expected http, http2, grpc or tcp, found 'https' (did you mean 'http'?)"
        ),
    ])
    func servicesAreChecked(keys: String, problem: String) {
        let (text, problem) = marked("services:\n  - {name: a, endpoints: [], \(keys)}\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test(arguments: [
        ("location: /, ▸grpc: {service: a.B}", "a route takes either 'location' or 'grpc'"),
        ("grpc: ▸{}", "grpc needs 'service'"),
        ("grpc: ▸shop.Orders", "grpc: expected a mapping, found 'shop.Orders'"),
        ("grpc: {service: ▸/a.B}", "service: expected a full name such as shop.Orders, found '/a.B'"),
        ("grpc: {service: ▸a..B}", "service: expected a full name such as shop.Orders, found 'a..B'"),
        ("grpc: {service: ▸a.1B}", "service: expected a full name such as shop.Orders, found 'a.1B'"),
        ("grpc: {service: a.B, method: ▸C/D}", "method: expected a name such as Place, found 'C/D'"),
        ("grpc: {service: a.B, method: ▸C.D}", "method: expected a name such as Place, found 'C.D'"),
        (
            "client_certificate: ▸{}",
            "client_certificate: a condition needs one of present, subject and san"
        ),
        (
            "client_certificate: ▸{present: false, san: a}",
            "client_certificate: where none is present there is neither subject nor san to ask for"
        ),
        ("client_certificate: {subject: ▸{}}", "subject: a condition needs one of exact, prefix, regex and present"),
        ("client_certificate: {▸issuer: a}", "unknown key 'issuer': client_certificate takes present, subject, san"),
    ])
    func routesAreChecked(keys: String, problem: String) {
        let (text, problem) = marked("routes:\n  - {name: a, \(keys), respond: {}}\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test func routesThatAskDifferentCertificatesAreDifferent() {
        let text = """
            routes:
              - {name: a, grpc: {service: a.B}, client_certificate: {san: a}, respond: {}}
              - {name: b, grpc: {service: a.B}, client_certificate: {san: b}, respond: {}}
              - {name: c, grpc: {service: a.B}, client_certificate: {san: b}, respond: {}}
            """
        #expect(
            problems(text) == [
                "a.yaml:4:5: route 'c' has the very conditions of 'b' at a.yaml:3: it would never be taken"
            ])
    }

    @Test(arguments: [
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\", service: ▸bytes}]",
            "service 'bytes' takes bytes, its protocol is tcp: the listener needs protocol tls_passthrough"
        ),
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\", protocol: tls_passthrough, service: ▸web}]",
            "service 'web' takes requests: behind tls_passthrough it needs protocol tcp"
        ),
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\"}]\nroutes: [{name: r, service: ▸bytes}]",
            "service 'bytes' takes bytes, its protocol is tcp: name under 'listeners' those with protocol "
                + "tls_passthrough that the route is for"
        ),
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\"}]\nroutes: [{name: r, listeners: [▸l], service: bytes}]",
            "service 'bytes' takes bytes, its protocol is tcp: listener 'l' needs protocol tls_passthrough"
        ),
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\", protocol: tls_passthrough}]\n"
                + "routes: [{name: r, listeners: [▸l], service: web}]",
            "listener 'l' has no requests, its protocol is tls_passthrough: only routes to a service with protocol tcp "
                + "are for it"
        ),
        (
            "listeners: [{name: l, address: \"0.0.0.0:80\", protocol: tls_passthrough}]\n"
                + "routes: [{name: r, listeners: [▸l], respond: {}}]",
            "listener 'l' has no requests, its protocol is tls_passthrough: only routes to a service with protocol tcp "
                + "are for it"
        ),
        (
            "routes: [{name: r, ▸location: /a, service: bytes}]",
            "location does nothing here: service 'bytes' takes bytes, its protocol is tcp"
        ),
        (
            "routes: [{name: r, ▸methods: [GET], service: bytes}]",
            "methods does nothing here: service 'bytes' takes bytes, its protocol is tcp"
        ),
        (
            "routes: [{name: r, ▸grpc: {service: a.B}, service: bytes}]",
            "grpc does nothing here: service 'bytes' takes bytes, its protocol is tcp"
        ),
    ])
    func bytesAreSentToWhoTakesBytes(text: String, problem: String) {
        let services = "services: [{name: web, endpoints: []}, {name: bytes, protocol: tcp, endpoints: []}]\n"
        let (text, problem) = marked(services + text, problem)
        #expect(problems(text) == [problem])
    }

    @Test func aMismatchIsFoundInWhicheverFileItStands() {
        let main = """
            services_file: s.yaml
            listeners: [{name: l, address: "0.0.0.0:80"}]
            """
        let services = """
            services: [{name: db, protocol: tcp, endpoints: []}]
            routes: [{name: r, listeners: [l], service: db}]
            """
        #expect(
            problems(main, services: services) == [
                "s.yaml:2:32: service 'db' takes bytes, its protocol is tcp: listener 'l' needs protocol tls_passthrough"
            ])
    }

    @Test func aRouteForAllListenersMayLeadToBytesWhenAllPassTLSThrough() {
        let text = """
            services: [{name: db, protocol: tcp, endpoints: []}, {name: web, endpoints: []}]
            listeners:
              - {name: l, address: "0.0.0.0:80", protocol: tls_passthrough}
              - {name: m, address: "0.0.0.0:81", service: web}
            routes: [{name: r, hosts: [db.local], service: db}]
            """
        #expect(problems(text).isEmpty)
    }
}
