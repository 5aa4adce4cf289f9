import Core
import Testing

@testable import Config

/// What a whole configuration becomes.
@Suite struct ConfigurationTests {
    @Test func everyKeyArrivesWithItsValue() throws {
        let configuration = try load(Example.yaml)
        #expect(configuration.workers == .count(2))
        #expect(configuration.admin.address == .ip(.loopbackV4, port: 15020))
        #expect(configuration.drainTimeout == .seconds(8))
        #expect(configuration.accessLog?.path == .file("/var/log/sidecar.log"))
        #expect(configuration.accessLog?.format == .text)
        #expect(configuration.accessLog?.bufferBytesMax == 65536)
        #expect(configuration.logLevel == .debug)
        #expect(configuration.dns.servers.map(\.description) == ["10.0.0.2:53", "[fd00::2]:5353"])
        #expect(configuration.dns.timeout == .seconds(2))
        #expect(configuration.metrics.seriesMax == 4096)
        #expect(configuration.connectionsMax == 5000)
    }

    @Test func listenersArriveWhole() throws {
        let listeners = try load(Example.yaml).listeners
        try #require(listeners.count == 2)
        let web = listeners[0]
        #expect(web.name == "web")
        #expect(web.address == .ip(.loopbackV4, port: 8000))
        #expect(web.mode == .gateway)
        #expect(web.protocolName == .http)
        #expect(web.service == nil)
        #expect(web.limits.requestLineBytesMax == 8192)
        #expect(web.limits.headBytesMax == 32768)
        #expect(web.limits.fieldsMax == 100)
        #expect(web.limits.bodyBytesMax == 10 << 20)
        #expect(web.timeouts.head == .seconds(5))
        #expect(web.timeouts.keepAlive == .seconds(75))
        #expect(web.timeouts.idle == .milliseconds(250))
        #expect(web.forwarded.trustedProxies.map(\.description) == ["10.0.0.0/8", "fd00::/8"])
        #expect(web.forwarded.forwarded)
        #expect(!web.forwarded.xForwarded && !web.forwarded.via && !web.forwarded.requestID)
        #expect(web.path.allowEncodedSlash && web.path.allowBackslash && !web.path.mergeSlashes)
        #expect(web.requestsMax == 1000)
        #expect(web.backlog == 128)
        #expect(listeners[1].address == .unix("/run/orders.sock"))
        #expect(listeners[1].service == "orders")
    }

    @Test func servicesArriveWhole() throws {
        let service = try #require(try load(Example.yaml).services.first)
        #expect(service.name == "orders")
        #expect(service.source == "a.yaml:33")
        #expect(
            service.endpoints == [
                EndpointConfiguration(
                    name: "backend1", target: .address(.ip(IPAddress(v4: 0x0A00_000B), port: 8080)), weight: 2),
                EndpointConfiguration(name: "backend2", target: .host("orders.shop.svc", port: 8080)),
                EndpointConfiguration(name: "[::1]:9000", target: .address(.ip(.loopbackV6, port: 9000))),
                EndpointConfiguration(name: "unix:@orders", target: .address(.unix("@orders"))),
            ])
        #expect(service.timeouts.connect == .milliseconds(500))
        #expect(service.timeouts.response == .seconds(30))
        #expect(service.timeouts.idle == .seconds(3600))
        #expect(service.pool.idleMax == 8)
        #expect(service.pool.connectionsMax == 64)
        #expect(service.pool.idleTimeout == .seconds(3))
        #expect(service.pool.requestsMax == 100)
        #expect(service.pool.ageMax == .seconds(600))
        #expect(service.responseHeadBytesMax == 16384)
        #expect(service.responseFieldsMax == 50)
    }

    @Test func routesArriveWhole() throws {
        let routes = try load(Example.yaml).routes
        try #require(routes.count == 4)
        let route = routes[0]
        #expect(route.name == "orders-api")
        #expect(route.source == "a.yaml:45")
        #expect(route.hosts == [.exact("shop.local"), .wildcard("shop.local")])
        #expect(route.listeners == ["web"])
        #expect(route.location == .prefix("/api/", beatsRegex: false))
        #expect(route.methods == ["GET", "POST"])
        #expect(
            route.headers == [
                FieldCondition(name: "X-Requested-With", test: .exact("XMLHttpRequest")),
                FieldCondition(name: "Accept", test: .prefix("application/")),
                FieldCondition(name: "X-Old", test: .absent),
            ])
        #expect(
            route.query == [
                FieldCondition(name: "version", test: .regex("^[0-9]+$")),
                FieldCondition(name: "debug", test: .present),
                FieldCondition(name: "kind", test: .exact("full")),
            ])
        guard case .service("orders") = route.action else {
            Issue.record("the route leads to \(route.action)")
            return
        }
        #expect(route.rewrite == .prefix("/v1/"))
        #expect(
            route.requestHeaders.set == [
                .init(name: "X-Team", value: "shop"), .init(name: "Host", value: "orders.internal"),
            ])
        #expect(route.requestHeaders.add.map(\.name) == ["X-Tag", "X-Tag", "X-One"])
        #expect(route.requestHeaders.add.map(\.value) == ["a", "b", "one"])
        #expect(route.requestHeaders.remove == ["X-Secret"])
        #expect(route.responseHeaders.set == [.init(name: "X-Served-By", value: "sidecar")])
        #expect(route.responseTimeout == .seconds(5))
        #expect(route.idleTimeout == .seconds(10))
        #expect(route.bodyBytesMax == 1 << 20)
    }

    @Test func actionsAndLocationsArriveWhole() throws {
        let routes = try load(Example.yaml).routes
        try #require(routes.count == 4)
        #expect(routes[1].location == .regex(#"\.(png|jpg)$"#, ignoresCase: true))
        #expect(routes[1].rewrite == .regex("^/img/(.*)$", replacement: "/static/$1"))
        #expect(routes[2].location == .exact("/health"))
        guard case .respond(let response) = routes[2].action, case .redirect(let redirect) = routes[3].action else {
            Issue.record("the actions are \(routes[2].action) and \(routes[3].action)")
            return
        }
        #expect(response.status == 200)
        #expect(response.body == "ok\n")
        #expect(response.contentType == "text/plain")
        #expect(routes[3].location == .prefix("/old/", beatsRegex: true))
        #expect(redirect.status == 308)
        #expect(redirect.scheme == "https")
        #expect(redirect.host == "shop.local:8443")
        #expect(redirect.path == "/new")
    }

    @Test func jsonSaysTheSameAsYAML() throws {
        #expect(try load(Example.json).json == load(Example.yaml).json)
    }

    @Test func whatIsPrintedIsTheSameConfiguration() throws {
        let printed = try load(Example.yaml).json
        #expect(try load(printed).json == printed)
    }

    @Test func oddNamesAndTextsArePrintedSoThatTheyAreRead() throws {
        let text = """
            services:
              - name: s
                endpoints: ["unix:/run/a b.sock", "unix:/run/ä.sock", "EXAMPLE.test:80"]
            routes:
              - name: r
                location: "~ *\\\\."
                query: {"<<": "\\x85\\u2028\\uFEFF", "a\\tb": {prefix: "\\U0001F600"}}
                respond: {body: "\\e\\n'", content_type: "a; b=\\"c\\""}
            """
        let printed = try load(text).json
        #expect(try load(printed).json == printed)
    }

    @Test func defaultsHoldWhereNothingIsSaid() throws {
        let configuration = try load("listeners: [{name: a, address: \"0.0.0.0:80\"}]")
        let defaults = ListenerConfiguration(name: "a", address: .ip(IPAddress(v4: 0), port: 80))
        #expect(configuration.workers == .auto)
        #expect(configuration.accessLog == nil)
        #expect(configuration.listeners[0].limits == defaults.limits)
        #expect(configuration.listeners[0].timeouts == defaults.timeouts)
        #expect(configuration.listeners[0].forwarded == defaults.forwarded)
        #expect(configuration.listeners[0].path == defaults.path)
    }
}
