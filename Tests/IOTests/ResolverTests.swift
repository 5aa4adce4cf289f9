import CLinux
import Core
import Testing

@testable import IO

@Suite struct ResolverTests {
    private typealias Outcome = Result<Resolver.Answer, Resolver.Failure>

    /// Resolves one name against a script and returns what came of it, and the questions asked.
    private func outcome(
        of name: String, timeout: Duration = .seconds(60),
        _ script: @escaping (ScriptedNameServer.Question) -> ScriptedNameServer.Reply
    ) throws -> (Outcome, [ScriptedNameServer.Question]) {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop, script)
        defer { server.close() }
        let resolver = try Resolver(loop: loop, servers: [server.address], timeout: timeout)
        var outcome: Outcome?
        resolver.resolve(name) {
            #expect(outcome == nil, "completed twice")
            outcome = $0
        }
        #expect(loop.turn { outcome != nil })
        return try (#require(outcome), server.questions)
    }

    private func address(_ text: String) -> IPAddress { IPAddress(text)! }

    @Test func addressesOfBothFamiliesComeTogether() throws {
        let (outcome, questions) = try outcome(of: "orders.test") { question in
            switch question.kind {
            case .a: .records([.a("orders.test", ttl: 30, "10.1.2.3"), .a("orders.test", ttl: 20, "10.1.2.4")])
            case .aaaa: .records([.aaaa("orders.test", ttl: 40, .loopbackV6)])
            case .cname: .silence
            }
        }
        let answer = try outcome.get()
        var expected: Set = [address("10.1.2.3"), address("10.1.2.4")]
        if Route.exists(to: .loopbackV6) { expected.insert(.loopbackV6) }
        #expect(Set(answer.addresses) == expected)
        #expect(answer.addresses.count == expected.count)
        #expect(answer.ttlSeconds == 20)
        #expect(questions.allSatisfy { $0.name == "orders.test" && !$0.isTCP })
    }

    @Test(arguments: [(0, 1), (7, 7), (3600, 60), (.max, 1)] as [(UInt32, UInt32)])
    func theTimeToLiveIsClamped(sent: UInt32, used: UInt32) throws {
        let (outcome, _) = try outcome(of: "orders.test") {
            $0.kind == .a ? .records([.a("orders.test", ttl: sent, "10.1.2.3")]) : .records([])
        }
        #expect(try outcome.get() == .init(addresses: [address("10.1.2.3")], ttlSeconds: used))
    }

    @Test func aChainOfAliasesIsFollowedAndItsSmallestTimeToLiveCounts() throws {
        let (outcome, _) = try outcome(of: "a.test") {
            $0.kind == .a
                ? .records([
                    .cname("a.test", ttl: 50, "b.test"), .cname("b.test", ttl: 5, "c.test"),
                    .a("c.test", ttl: 30, "10.1.2.3"),
                ]) : .records([])
        }
        #expect(try outcome.get() == .init(addresses: [address("10.1.2.3")], ttlSeconds: 5))
    }

    @Test func repeatedAddressesCountOnce() throws {
        let (outcome, _) = try outcome(of: "a.test") {
            $0.kind == .a
                ? .records([.a("a.test", ttl: 9, "10.1.2.3"), .a("a.test", ttl: 9, "10.1.2.3")]) : .records([])
        }
        let answer = try outcome.get()
        #expect(answer.addresses == [address("10.1.2.3")])
    }

    @Test func aNameThatDoesNotExistIsNotFound() throws {
        let (outcome, _) = try outcome(of: "nowhere.test") { _ in .code(3) }
        #expect(outcome == .failure(.notFound))
    }

    @Test func aNameWithoutAddressesIsNotFound() throws {
        let (outcome, _) = try outcome(of: "empty.test") { _ in .records([]) }
        #expect(outcome == .failure(.notFound))
    }

    @Test func aFailingServerIsNamedSo() throws {
        let (outcome, _) = try outcome(of: "orders.test") { _ in .code(2) }
        guard case .failure(let failure) = outcome else {
            Issue.record("resolved")
            return
        }
        #expect(failure != .notFound)
        #expect(failure.description.contains("SERVFAIL") || failure.description.contains("none could answer"))
    }

    @Test func aRefusingServerIsARefusal() throws {
        let (outcome, _) = try outcome(of: "orders.test") { _ in .code(5) }
        guard case .failure(.refused) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func whereNobodyListensResolvingFailsBeforeItsTime() throws {
        let loop = try EventLoop()
        let closed = try ScriptedNameServer(loop) { _ in .silence }.closedAddress()
        let resolver = try Resolver(loop: loop, servers: [closed], timeout: .seconds(5))
        var outcome: Outcome?
        resolver.resolve("nobody.test") { outcome = $0 }
        #expect(loop.turn(seconds: 4) { outcome != nil })
        guard case .failure = try #require(outcome) else {
            Issue.record("resolved")
            return
        }
    }

    @Test func aSilentServerTimesOutWhenTheTimeoutHasPassed() throws {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) { _ in .silence }
        defer { server.close() }
        let resolver = try Resolver(loop: loop, servers: [server.address], timeout: .milliseconds(300))
        var outcome: Outcome?
        let start = loop.now
        resolver.resolve("orders.test") { outcome = $0 }
        #expect(outcome == nil)
        #expect(loop.turn(seconds: 2) { outcome != nil })
        #expect(outcome == .failure(.timeout))
        #expect(loop.now.nanoseconds(since: start) >= 300_000_000)
    }

    @Test func aLostAnswerIsAskedForAgain() throws {
        var lost = 0
        let (outcome, _) = try outcome(of: "orders.test", timeout: .milliseconds(1400)) {
            if $0.kind != .a { return .records([]) }
            lost += 1
            return lost == 1 ? .silence : .records([.a("orders.test", ttl: 5, "10.1.2.3")])
        }
        let answer = try outcome.get()
        #expect(answer.addresses == [address("10.1.2.3")])
        #expect(lost >= 2)
    }

    @Test func aTruncatedAnswerIsFetchedOverTCP() throws {
        let many = (0..<100).map { ScriptedNameServer.Record.a("big.test", ttl: 5, "10.2.0.\($0)") }
        let (outcome, questions) = try outcome(of: "big.test") { question in
            guard question.kind == .a else { return .records([]) }
            return question.isTCP ? .records(many) : .truncated
        }
        #expect(try outcome.get().addresses.count == 100)
        #expect(questions.contains { $0.isTCP })
    }

    @Test func anAnswerOfThousandsOfAddressesIsCut() throws {
        let many = (0..<1000).map { ScriptedNameServer.Record.a("big.test", ttl: 5, "10.2.\($0 / 250).\($0 % 250)") }
        let (outcome, _) = try outcome(of: "big.test") { question in
            guard question.kind == .a else { return .records([]) }
            return question.isTCP ? .records(many) : .truncated
        }
        #expect(try outcome.get().addresses.count == Lookup.addressesMax)
    }

    @Test(arguments: 1..<60)
    func aCutAnswerFailsAndHarmsNothing(by count: Int) throws {
        let (outcome, _) = try outcome(of: "orders.test", timeout: .milliseconds(60)) { _ in
            .cut([.a("orders.test", ttl: 5, "10.1.2.3"), .a("orders.test", ttl: 5, "10.1.2.4")], by: count)
        }
        guard case .failure = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func randomBytesFailAndHarmNothing() throws {
        var random = Random(seed: 4)
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) { _ in
            .raw(
                [0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
                    + (0..<Int.random(in: 0...80, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    })
        }
        defer { server.close() }
        let resolver = try Resolver(loop: loop, servers: [server.address], timeout: .milliseconds(200))
        var completed = 0
        for number in 0..<50 {
            resolver.resolve("n\(number).test") { outcome in
                completed += 1
                if case .success = outcome { Issue.record("garbage resolved") }
            }
        }
        #expect(loop.turn { completed == 50 })
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7", "127.0.0.1", "::1"])
    func anAddressIsItsOwnAnswerAtOnce(text: String) throws {
        let loop = try EventLoop()
        let resolver = try Resolver(loop: loop, servers: [.ip(.loopbackV4, port: 9)], timeout: .seconds(60))
        var outcome: Outcome?
        resolver.resolve(text) { outcome = $0 }
        #expect(try #require(outcome).get().addresses == [address(text)])
    }

    @Test func localhostNeedsNoServer() throws {
        let loop = try EventLoop()
        let resolver = try Resolver(loop: loop, servers: [.ip(.loopbackV4, port: 9)], timeout: .seconds(60))
        var outcome: Outcome?
        resolver.resolve("localhost") { outcome = $0 }
        #expect(loop.turn { outcome != nil })
        let answer = try #require(outcome).get()
        #expect(answer.addresses.allSatisfy { $0.isLoopback })
    }

    @Test(arguments: ["", "..", String(repeating: "a", count: 64) + ".test", String(repeating: "a.", count: 200)])
    func whatIsNoNameFails(name: String) throws {
        let (outcome, questions) = try outcome(of: name) { _ in .code(3) }
        guard case .failure = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(questions.isEmpty)
    }

    @Test func aCompletionMayResolveFurtherNames() throws {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) {
            $0.kind == .a ? .records([.a($0.name, ttl: 5, "10.1.2.3")]) : .records([])
        }
        defer { server.close() }
        let resolver = try Resolver(loop: loop, servers: [server.address], timeout: .seconds(60))
        var depth = 0
        func next() {
            resolver.resolve("n\(depth).test") { outcome in
                if case .failure(let failure) = outcome { Issue.record("\(failure)") }
                depth += 1
                if depth < 300 { next() }
            }
        }
        next()
        #expect(loop.turn { depth == 300 })
    }

    @Test func aCompletionMayEndTheResolver() throws {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) { _ in .code(3) }
        defer { server.close() }
        var resolver: Resolver? = try Resolver(loop: loop, servers: [server.address], timeout: .seconds(60))
        weak let held = resolver
        var completed = 0
        for number in 0..<3 {
            resolver?.resolve("n\(number).test") { _ in
                completed += 1
                resolver = nil
            }
        }
        #expect(loop.turn { completed > 0 && held == nil })
    }

    @Test func hundredsOfNamesResolveTogether() throws {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) { question in
            let number = Int(question.name.dropFirst().prefix { $0 != "." })!
            return question.kind == .a
                ? .records([.a(question.name, ttl: 5, "10.3.\(number / 200).\(number % 200)")]) : .records([])
        }
        defer { server.close() }
        let resolver = try Resolver(loop: loop, servers: [server.address], timeout: .seconds(70))
        var found: Set<IPAddress> = []
        for number in 0..<300 {
            resolver.resolve("n\(number).test") { if let answer = try? $0.get() { found.formUnion(answer.addresses) } }
        }
        #expect(loop.turn(seconds: 5) { found.count == 300 })
        #expect(server.questions.count < 660, "answers were lost and asked for again")
    }

    @Test func aResolverThatGoesDropsItsLookupsAndItsSockets() throws {
        let loop = try EventLoop()
        let server = try ScriptedNameServer(loop) { _ in .silence }
        let before = loop.registrationCount
        var resolver: Resolver? = try Resolver(loop: loop, servers: [server.address], timeout: .milliseconds(50))
        resolver?.resolve("orders.test") { _ in Issue.record("completed") }
        loop.turn(waitMs: 0)
        #expect(loop.registrationCount > before)
        resolver = nil
        #expect(loop.registrationCount == before)
        let end = loop.now.advanced(by: .milliseconds(100))
        #expect(loop.turn { loop.now > end })
        server.close()
    }

    @Test func aUnixSocketIsNoNameServer() throws {
        let loop = try EventLoop()
        #expect(throws: IOError.self) {
            _ = try Resolver(loop: loop, servers: [.unix("/run/dns")], timeout: .seconds(1))
        }
    }
}

extension ScriptedNameServer {
    /// Closes, and returns the address nobody listens on any more.
    fileprivate func closedAddress() -> SocketAddress {
        close()
        return address
    }
}
