import Testing

@testable import Config

/// What a mistyped word was meant to be.
@Suite struct SuggestionTests {
    private let keys = ["listeners", "services", "routes", "drain_timeout", "dns"]

    @Test(arguments: [
        ("listner", "listeners"), ("Listeners", "listeners"), ("lisetners", "listeners"), ("service", "services"),
        ("draintimeout", "drain_timeout"), ("drain-timeout", "drain_timeout"), ("dsn", "dns"),
        ("drain", "drain_timeout"), ("listeners_v2", "listeners"),
    ])
    func aNearWordIsFound(typed: String, meant: String) {
        #expect(Suggestion.nearest(to: typed, among: keys) == meant)
    }

    @Test(arguments: ["", "x", "xyz", "completely_other", String(repeating: "a", count: 10_000)])
    func aFarWordIsNot(typed: String) {
        #expect(Suggestion.nearest(to: typed, among: keys) == nil)
    }

    @Test func theNearestOfSeveralWins() {
        #expect(Suggestion.nearest(to: "backend12", among: ["backend21x", "backend1", "backend12x"]) == "backend1")
        #expect(Suggestion.nearest(to: "abcdef", among: ["abcxyf", "abcdeg"]) == "abcdeg")
    }

    @Test func theWordItselfIsNoSuggestion() {
        #expect(Suggestion.nearest(to: "dns", among: ["dns"]) == nil)
    }
}
