import Testing

@testable import HTTP

/// RFC 9113 rule by rule, for both roles, and every sequence cut at every byte.
@Suite struct H2RulesTests {
    private static var limits: H2Limits {
        var limits = H2Limits()
        limits.streamsMax = 3
        limits.streamWindow = 1000
        limits.headBytesMax = 32_768
        return limits
    }

    private static func unused(_ role: H2Session.Role) -> H2Owner { H2Owner(role, limits: limits) }

    private static func server() -> H2Owner {
        let owner = unused(.server)
        owner.feed(H2Wire.preface + H2Wire.settings())
        return owner
    }

    private static func client() -> H2Owner {
        let owner = unused(.client)
        owner.feed(H2Wire.settings())
        owner.request()
        owner.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ends: false)
        return owner
    }

    @Test(arguments: H2ServerRules.openings) func aServerJudgesTheBeginning(_ rule: H2Rule) {
        rule.check { Self.unused(.server) }
    }

    @Test(arguments: H2ClientRules.openings) func aClientJudgesTheBeginning(_ rule: H2Rule) {
        rule.check { Self.unused(.client) }
    }

    @Test(arguments: H2ServerRules.all) func aServerKeepsTheRule(_ rule: H2Rule) { rule.check(Self.server) }

    @Test(arguments: H2ClientRules.all) func aClientKeepsTheRule(_ rule: H2Rule) { rule.check(Self.client) }

    /// Cut anywhere, and byte by byte, the same comes of it: the same events, the same frames. Only windows may be given
    /// back in other pieces.
    private func checkCuts(_ rule: H2Rule, _ prepare: () -> H2Owner) {
        func frames(_ owner: H2Owner) -> [String] { owner.sent.filter { !$0.hasPrefix("WINDOW_UPDATE") } }
        let whole = rule.run(cuts: [], prepare)
        let step = max(1, rule.bytes.count / 200)
        var cuts = stride(from: 1, to: rule.bytes.count, by: step).map { [$0] }
        if rule.bytes.count < 1000 { cuts.append(Array(1..<rule.bytes.count)) }
        for cut in cuts {
            let owner = rule.run(cuts: cut, prepare)
            #expect(
                owner.events == whole.events && frames(owner) == frames(whole), "\(rule.testDescription), cut at \(cut)"
            )
        }
    }

    @Test(arguments: H2ServerRules.openings) func aBeginningCutAnywhereIsTheSameToAServer(_ rule: H2Rule) {
        checkCuts(rule) { Self.unused(.server) }
    }

    @Test(arguments: H2ServerRules.all) func cutAnywhereItIsTheSameToAServer(_ rule: H2Rule) {
        checkCuts(rule, Self.server)
    }

    @Test(arguments: H2ClientRules.all) func cutAnywhereItIsTheSameToAClient(_ rule: H2Rule) {
        checkCuts(rule, Self.client)
    }

    @Test func everyViolationHasAWordOfItsOwn() {
        let words = H2Violation.allCases.map { $0.word.description }
        #expect(Set(words).count == words.count)
        for word in words { #expect(word.allSatisfy { $0.isLowercase || $0 == "_" }, "\(word)") }
        for violation in H2Violation.allCases { #expect(violation.code != .noError) }
    }

    @Test func unknownErrorCodesCountAsInternal() {
        for code in H2ErrorCode.allCases { #expect(H2ErrorCode(wire: code.rawValue) == code) }
        #expect(H2ErrorCode(wire: 14) == .internalError)
        #expect(H2ErrorCode(wire: .max) == .internalError)
    }
}
