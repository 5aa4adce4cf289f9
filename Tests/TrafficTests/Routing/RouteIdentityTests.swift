import Config
import Core
import HTTP
import Testing

@testable import Traffic

/// Routes that ask for a gRPC call, a client certificate or a TLS server name.
@Suite struct RouteIdentityTests {
    private let web = ClientIdentity(
        subject: "CN=web,O=shop",
        alternativeNames: [.init(kind: .uri, value: "spiffe://shop/web"), .init(kind: .dns, value: "web.shop.local")],
        fingerprint: "00ff")

    private func matched(
        _ table: RouteTable, _ head: RequestHead, _ identity: ClientIdentity? = nil, _ scratch: RouteScratch = .init()
    ) throws -> String? {
        let normalizer = PathNormalizer(PathConfiguration())
        return try table.match(head, normalizer, listener: 0, scratch: scratch, identity: identity)
            .map { table.routes[$0].name }
    }

    private func call(_ path: String, _ type: String? = "application/grpc+proto") -> RequestHead {
        request("POST", path, fields: type.map { [("Content-Type", $0)] } ?? [])
    }

    // MARK: gRPC

    @Test func callsGoByServiceAndMethod() throws {
        let table = try RouteTable(
            configuration([
                route("any"), route("orders", .grpc(service: "shop.Orders", method: nil)),
                route("place", .grpc(service: "shop.Orders", method: "Place")),
            ]))
        #expect(try matched(table, call("/shop.Orders/Place")) == "place")
        #expect(try matched(table, call("/shop.Orders/Placed")) == "orders")
        #expect(try matched(table, call("/shop.Orders/")) == "orders")
        #expect(try matched(table, call("/shop.OrdersToo/Place")) == "any")
        #expect(try matched(table, call("/shop.orders/Place")) == "any")
    }

    @Test func whatIsNoCallFallsThrough() throws {
        let table = try RouteTable(
            configuration([
                route("page", .exact("/shop.Orders/Place")),
                route("place", .grpc(service: "shop.Orders", method: "Place")),
                route("orders", .grpc(service: "shop.Orders", method: nil)),
            ]))
        #expect(try matched(table, call("/shop.Orders/Place")) == "place")
        #expect(try matched(table, call("/shop.Orders/Place", nil)) == "page")
        #expect(try matched(table, call("/shop.Orders/Place", "application/grpc-web")) == "page")
        #expect(try matched(table, call("/shop.Orders/Cancel", "application/json")) == nil)
    }

    @Test func aRewriteReplacesTheWholeCallOrItsService() throws {
        func rewritten(_ location: RouteConfiguration.Location) throws -> String {
            let table = try RouteTable(configuration([route("r", location) { $0.rewrite = .prefix("/v2.Orders/") }]))
            let (scratch, normalizer) = (RouteScratch(), PathNormalizer(PathConfiguration()))
            let (head, output) = (call("/shop.Orders/Place"), Buffer(capacity: 64))
            let index = try #require(try table.match(head, normalizer, listener: 0, scratch: scratch))
            let outcome = try table.routes[index].rewrite?.write(head, normalizer, scratch, into: output)
            #expect(outcome == .written)
            return output.readable.text
        }
        #expect(try rewritten(.grpc(service: "shop.Orders", method: nil)) == "/v2.Orders/Place")
        #expect(try rewritten(.grpc(service: "shop.Orders", method: "Place")) == "/v2.Orders/")
    }

    // MARK: Client certificates

    private func table(_ change: (inout ClientCertificateCondition) -> Void) throws -> RouteTable {
        var condition = ClientCertificateCondition()
        change(&condition)
        return try RouteTable(configuration([route("r") { $0.clientCertificate = condition }]))
    }

    @Test func theSubjectIsCompared() throws {
        let head = request()
        let tests: [(FieldCondition.Test, Bool)] = [
            (.exact("CN=web,O=shop"), true), (.exact("CN=web"), false), (.prefix("CN=web,"), true),
            (.prefix("CN=web,O=shop,"), false), (.regex("O=(shop|bank)$"), true), (.regex("^O="), false),
            (.present, true), (.absent, false),
        ]
        for (test, holds) in tests {
            let table = try table { $0.subject = test }
            #expect(try matched(table, head, web) == (holds ? "r" : nil), "\(test)")
            #expect(try matched(table, head) == (test == .absent ? "r" : nil), "\(test)")
        }
    }

    @Test func oneAlternativeNameIsEnough() throws {
        let head = request()
        let tests: [(FieldCondition.Test, Bool)] = [
            (.exact("spiffe://shop/web"), true), (.exact("web.shop.local"), true), (.exact("web"), false),
            (.prefix("spiffe://shop/"), true), (.regex("^web\\."), true), (.present, true), (.absent, false),
        ]
        for (test, holds) in tests {
            let table = try table { $0.san = test }
            #expect(try matched(table, head, web) == (holds ? "r" : nil), "\(test)")
        }
        let nameless = ClientIdentity(subject: "CN=a", alternativeNames: [], fingerprint: "")
        #expect(try matched(table { $0.san = .absent }, head, nameless) == "r")
        #expect(try matched(table { $0.san = .present }, head, nameless) == nil)
    }

    @Test func allThatIsAskedMustHold() throws {
        let table = try table {
            $0.isPresent = true
            $0.subject = .prefix("CN=web,")
            $0.san = .exact("spiffe://shop/web")
        }
        #expect(try matched(table, request(), web) == "r")
        let other = ClientIdentity(
            subject: "CN=web,O=bank", alternativeNames: [.init(kind: .uri, value: "spiffe://bank/web")],
            fingerprint: "01")
        #expect(try matched(table, request(), other) == nil)
    }

    @Test func aRouteMayAskThatThereIsNoCertificate() throws {
        let table = try table { $0.isPresent = false }
        #expect(try matched(table, request()) == "r")
        #expect(try matched(table, request(), web) == nil)
    }

    @Test func anIdentityIsForgottenWithItsRequest() throws {
        let table = try table { $0.isPresent = true }
        let scratch = RouteScratch()
        #expect(try matched(table, request(), web, scratch) == "r")
        #expect(try matched(table, request(), nil, scratch) == nil)
        #expect(throws: PathError.self) { try matched(table, request("GET", "/%00"), web, scratch) }
        #expect(try matched(table, request(), nil, scratch) == nil)
    }

    @Test func aBrokenExpressionIsReportedByItsKey() {
        do throws(RouteTableError) {
            var condition = ClientCertificateCondition()
            condition.san = .regex("(")
            _ = try RouteTable(configuration([route("r") { $0.clientCertificate = condition }]))
            Issue.record("the expression was taken")
        } catch {
            #expect(error.problems.map(\.what) == ["client_certificate.san"])
        }
    }

    // MARK: TLS server names

    @Test func aServerNameChoosesAmongRoutesToBytes() throws {
        var configuration = configuration([
            route("page") { $0.hosts = [.exact("db.local")] },
            route("exact") {
                $0.hosts = [.exact("db.local")]
                $0.action = .service("bytes")
            },
            route("wild") {
                $0.hosts = [.wildcard("local")]
                $0.action = .service("bytes")
            },
            route("second") {
                $0.hosts = [.wildcard("local")]
                $0.listeners = ["two"]
                $0.action = .service("bytes")
            },
            route("any") {
                $0.listeners = ["one"]
                $0.action = .service("bytes")
            },
        ])
        var bytes = ServiceConfiguration(name: "bytes", endpoints: [])
        bytes.protocolName = .tcp
        configuration.services.append(bytes)
        let table = try RouteTable(configuration)
        func matched(_ name: String, _ listener: Int) -> String? {
            table.match(serverName: name.bytes.span, listener: listener).map { table.routes[$0].name }
        }
        #expect(matched("db.local", 0) == "exact")
        #expect(matched("DB.Local.", 0) == "exact")
        #expect(matched("a.local", 0) == "wild")
        #expect(matched("a.local", 1) == "second")
        #expect(matched("local", 0) == "any")
        #expect(matched("local", 1) == nil)
        #expect(matched("", 0) == "any")
        // And a request takes none of them.
        #expect(try self.matched(table, request(host: "db.local")) == "page")
        #expect(try self.matched(table, request(host: "a.local")) == nil)
    }
}
