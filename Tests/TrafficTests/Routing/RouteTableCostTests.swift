import CLinux
import Config
import Core
import HTTP
import Testing

@testable import Traffic

/// What a match costs: nothing from the heap, and no more with 10,000 routes than with 10.
@Suite(.serialized) struct RouteTableCostTests {
    private func table(_ count: Int) throws -> RouteTable {
        try RouteTable(
            configuration(
                (0..<count).map { index in
                    route("r\(index)", .prefix("/api/v\(index % 7)/resource\(index)/", beatsRegex: false)) {
                        switch index % 4 {
                        case 0: $0.hosts = [.exact("host\(index % 500).shop.local")]
                        case 1: $0.hosts = [.wildcard("zone\(index % 500).shop.local")]
                        case 2: $0.location = .exact("/api/v\(index % 7)/resource\(index)/item")
                        default: break
                        }
                    }
                }))
    }

    /// A request for every route, or for 1,000 of them.
    private func requests(_ table: RouteTable) -> [RequestHead] {
        let count = table.routes.count
        return stride(from: 0, to: count, by: max(1, count / 1024)).map { index in
            let host = index % 4 == 0 ? "host\(index % 500).shop.local" : "a.zone\(index % 500).shop.local"
            return request("GET", "/api/v\(index % 7)/resource\(index)/item", host: host)
        }
    }

    private func nanoseconds(_ table: RouteTable, _ heads: [RequestHead], rounds: Int) throws -> UInt64 {
        let scratch = RouteScratch()
        let normalizer = PathNormalizer(PathConfiguration())
        let clock = ContinuousClock()
        var fastest = UInt64.max
        for _ in 0..<15 {
            var found = 0
            let start = clock.now
            for _ in 0..<rounds {
                for head in heads {
                    if try table.match(head, normalizer, listener: 0, scratch: scratch) != nil { found += 1 }
                }
            }
            let elapsed = (clock.now - start).nanosecondsClamped / UInt64(rounds * heads.count)
            #expect(found == rounds * heads.count)
            fastest = min(fastest, elapsed)
        }
        return fastest
    }

    @Test func tenThousandRoutesCostLittleMoreThanTen() throws {
        let (few, many) = (try table(10), try table(10_000))
        let fewTime = try nanoseconds(few, requests(few), rounds: 300)
        let manyTime = try nanoseconds(many, requests(many), rounds: 3)
        // A search through all of them would take hundreds of times as long; the rest is noise and cache misses.
        #expect(manyTime < fewTime * 3 + 500, "10 routes: \(fewTime) ns, 10,000 routes: \(manyTime) ns")
    }

    /// Whether some run of `body` leaves the heap as it was. Other tests allocate at the same time, hence the tries.
    private func leavesHeapAlone(_ body: () throws -> Void) rethrows -> Bool {
        for _ in 0..<3000 {
            let before = mallinfo2().uordblks
            try body()
            if mallinfo2().uordblks == before { return true }
        }
        return false
    }

    @Test func aMatchAllocatesNothing() throws {
        var routes = (0..<50).map { route("r\($0)", .prefix("/p\($0)/", beatsRegex: false)) }
        var condition = ClientCertificateCondition()
        condition.subject = .prefix("CN=")
        condition.san = .regex("^b")
        let identity = ClientIdentity(
            subject: "CN=a", alternativeNames: [.init(kind: .dns, value: "a"), .init(kind: .dns, value: "b")],
            fingerprint: "00")
        routes.append(
            route("conditions", .regex("^/api/(.*)/x$", ignoresCase: true)) {
                $0.hosts = [.wildcard("shop.local")]
                $0.methods = ["GET", "PURGE"]
                $0.headers = [FieldCondition(name: "X-A", test: .regex("^a+$"))]
                $0.query = [FieldCondition(name: "q", test: .regex("^b c$"))]
                $0.clientCertificate = condition
                $0.rewrite = .regex("^/api/(.*)/x$", replacement: "/new/$1")
                $0.requestHeaders.set = [.init(name: "X-A", value: "b"), .init(name: "X-B", value: "c")]
                $0.requestHeaders.remove = ["User-Agent", "X-C"]
            })
        let table = try RouteTable(configuration(routes))
        let scratch = RouteScratch()
        let normalizer = PathNormalizer(PathConfiguration())
        var forwarding = ForwardedConfiguration()
        forwarding.trustedProxies = [NetworkPrefix("10.0.0.0/8")!]
        forwarding.forwarded = true
        forwarding.clientCertificate = true
        let forwarded = ForwardedFields(forwarding)
        var random = Random(seed: 1)
        let peer = IPAddress("10.0.0.1")!
        let cluster = Cluster(
            ServiceConfiguration(
                name: "s",
                endpoints: (1...3).map {
                    EndpointConfiguration(
                        name: "e\($0)", target: .host("e", port: 1), weight: UInt32($0))
                }))
        let output = Buffer(capacity: 1024)
        let head = RequestHead()
        var matches = 0
        func run(_ requests: Int) throws {
            for _ in 0..<requests {
                head.reset()
                let storage = head.headers.storage
                storage.append("GET/%61pi/./y/x?a&q=b%20ca.shop.local")
                head.method = .get
                head.methodName = ByteRange(start: 0, count: 3)
                head.path = ByteRange(start: 3, count: 12)
                head.query = ByteRange(start: 16, count: 9)
                head.hasQuery = true
                head.authority = ByteRange(start: 25, count: 12)
                head.headers.append(.other, spelled: "x-a", ("aaa" as StaticString).bytes)
                head.headers.append(.xForwardedFor, spelled: "X-Forwarded-For", ("1.2.3.4" as StaticString).bytes)
                head.headers.append(.userAgent, spelled: "User-Agent", ("test" as StaticString).bytes)
                let origin = forwarded.apply(
                    to: head, peer: peer, isSecure: false, random: &random, identity: identity)
                guard origin.client?.v4 == 0x0102_0304,
                    let index = try table.match(
                        head, normalizer, listener: 0, scratch: scratch, identity: identity)
                else { continue }
                let route = table.routes[index]
                output.clear()
                guard let rewrite = route.rewrite,
                    try rewrite.write(head, normalizer, scratch, into: output) == .written
                else { continue }
                route.requestEdits?.apply(to: head.headers)
                var tried = TriedEndpoints()
                guard let endpoint = cluster.pick(tried, now: .zero, random: &random) else { continue }
                tried.insert(endpoint)
                cluster.exchangeStarted(on: endpoint)
                cluster.exchangeEnded(on: endpoint)
                matches += 1
            }
        }
        try run(10_000)
        #expect(matches == 10_000)
        #expect(output.readable.text == "/new/y?a&q=b%20c")
        #expect(try leavesHeapAlone { try run(100) })
    }
}
