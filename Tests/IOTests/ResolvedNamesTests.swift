import Core
import Testing

@testable import IO

@Suite struct ResolvedNamesTests {
    /// A loop, a scripted server whose next replies can be changed, and names resolved through it.
    private final class Bench {
        let loop: EventLoop
        let server: ScriptedNameServer
        let names: ResolvedNames
        var heard: [([IPAddress], Resolver.Failure?)] = []

        init(_ script: @escaping (ScriptedNameServer.Question) -> ScriptedNameServer.Reply) throws {
            loop = try EventLoop()
            server = try ScriptedNameServer(loop) { $0.kind == .a ? script($0) : .records([]) }
            let resolver = try Resolver(loop: loop, servers: [server.address], timeout: .seconds(60))
            names = ResolvedNames(loop: loop, resolver: resolver, random: Random(seed: 1))
        }

        deinit { server.close() }

        func watch(_ name: String) -> ResolvedNames.Watch {
            names.watch(name) { [unowned self] in heard.append(($0, $1)) }
        }

        var asked: Int { server.questions.count { $0.kind == .a } }
    }

    private let first = IPAddress("10.0.0.1")!
    private let second = IPAddress("10.0.0.2")!

    @Test func aMoveIsNoticedWhenTheTimeToLiveIsOver() throws {
        var address = "10.0.0.1"
        let bench = try Bench { .records([.a($0.name, ttl: 0, address)]) }
        _ = bench.watch("orders.test")
        #expect(bench.loop.turn { bench.heard.count == 1 })
        #expect(bench.heard[0] == ([first], nil))
        let answered = bench.loop.now
        address = "10.0.0.2"
        #expect(bench.loop.turn { bench.heard.count == 2 })
        #expect(bench.heard[1] == ([second], nil))
        #expect(bench.loop.now.nanoseconds(since: answered) >= 1_000_000_000)
        #expect(bench.asked == 2)
        #expect(bench.names.counters == .init(queries: 2, failures: 0, changes: 2))
    }

    @Test func aFailingServerKeepsTheLastGoodAnswer() throws {
        var fails = false
        let bench = try Bench { fails ? .code(2) : .records([.a($0.name, ttl: 1, "10.0.0.1")]) }
        _ = bench.watch("orders.test")
        #expect(bench.loop.turn { bench.heard.count == 1 })
        fails = true
        #expect(bench.loop.turn { bench.heard.count == 2 })
        #expect(bench.heard[1].0 == [first])
        #expect(bench.heard[1].1 != nil)
        let status = try #require(bench.names.status(of: "orders.test"))
        #expect(status.addresses == [first])
        #expect(status.failure != nil)
        #expect(status.failuresInRow == 1)
        #expect(try #require(status.ageSeconds) >= 1)
        #expect(bench.names.counters.failures == 1)
        fails = false
        #expect(bench.loop.turn { bench.heard.count == 3 })
        #expect(bench.heard[2] == ([first], nil))
    }

    @Test func aFailedConnectAsksAgainAtOnceAndOnceASecond() throws {
        let bench = try Bench { .records([.a($0.name, ttl: 60, "10.0.0.1")]) }
        _ = bench.watch("orders.test")
        #expect(bench.loop.turn { bench.heard.count == 1 })
        for _ in 0..<10 { bench.names.refresh("orders.test") }
        #expect(bench.asked == 1)
        #expect(bench.loop.turn(seconds: 5) { bench.asked == 2 })
        #expect(bench.names.counters.queries == 2)
        bench.names.refresh("unknown.test")
        #expect(bench.names.counters.queries == 2)
    }

    @Test func watchersOfOneNameShareItsQueriesAndTheLaterHearsAtOnce() throws {
        let bench = try Bench { .records([.a($0.name, ttl: 60, "10.0.0.1")]) }
        let early = bench.watch("orders.test")
        #expect(bench.loop.turn { bench.heard.count == 1 })
        let late = bench.watch("orders.test")
        #expect(bench.heard.count == 2)
        #expect(bench.heard[1] == ([first], nil))
        #expect(bench.names.counters.queries == 1)
        bench.names.unwatch(early)
        #expect(bench.names.statuses.map(\.name) == ["orders.test"])
        bench.names.unwatch(late)
        #expect(bench.names.statuses.isEmpty)
    }

    @Test func aNameThatIsNoLongerWatchedIsNotHeardOf() throws {
        let bench = try Bench { .records([.a($0.name, ttl: 0, "10.0.0.1")]) }
        let watch = bench.watch("orders.test")
        bench.names.unwatch(watch)
        let end = bench.loop.now.advanced(by: .milliseconds(50))
        #expect(bench.loop.turn { bench.loop.now > end })
        #expect(bench.heard.isEmpty)
    }

    @Test func anAddressIsKnownBeforeWatchReturns() throws {
        let bench = try Bench { _ in .silence }
        _ = bench.watch("10.0.0.2")
        #expect(bench.heard.count == 1)
        #expect(bench.heard[0] == ([second], nil))
        #expect(bench.asked == 0)
    }
}
