import Config
import Core
import HTTP
import Testing

@testable import Traffic

@Suite struct PathRewriteTests {
    /// The target that a route of this location and rewrite sends, `as sent`, or the kind of refusal after a `!`.
    private func rewritten(
        _ target: String, _ location: RouteConfiguration.Location, _ rewrite: RewriteConfiguration,
        _ path: PathConfiguration = PathConfiguration()
    ) throws -> String {
        let table = try RouteTable(configuration([route("r", location) { $0.rewrite = rewrite }]))
        let scratch = RouteScratch()
        let normalizer = PathNormalizer(path)
        let head = request("GET", target)
        try #require(try table.match(head, normalizer, listener: 0, scratch: scratch) == 0)
        let output = Buffer(capacity: 8)
        output.append("GET ")
        do throws(PathError) {
            let outcome = try table.routes[0].rewrite!.write(head, normalizer, scratch, into: output)
            return outcome == .asSent ? "as sent" : String(output.readable.text.dropFirst(4))
        } catch {
            return "!\(error.kind)"
        }
    }

    @Test(arguments: [
        ("/api/", "/", "/api/orders", "/orders"), ("/api", "/", "/api/orders", "/orders"), ("/api", "/", "/api", "/"),
        ("/api", "/", "/api?q=1&r", "/?q=1&r"), ("/api/", "/v2/", "/api/a/b?x", "/v2/a/b?x"),
        ("/api/", "/v2", "/api/a", "/v2a"), ("/api", "/v2", "/api/a", "/v2/a"), ("/", "/base/", "/a", "/base/a"),
        ("/api", "", "/api/a", "/a"), ("/api/", "", "/api/a", "/a"), ("/api", "", "/api", "/"),
        ("/api/", "/", "/api/?", "/?"), ("/a", "/%7Ex", "/a/b", "/%7Ex/b"),
    ])
    func prefixesAreReplaced(_ prefix: String, _ new: String, _ target: String, _ expected: String) throws {
        #expect(try rewritten(target, .prefix(prefix, beatsRegex: false), .prefix(new)) == expected)
        #expect(try rewritten(target, .prefix(prefix, beatsRegex: true), .prefix(new)) == expected)
    }

    @Test func anExactLocationIsReplacedWhole() throws {
        #expect(try rewritten("/old?q", .exact("/old"), .prefix("/new")) == "/new?q")
    }

    @Test(arguments: [
        ("^/v1/(.*)$", "/v2/$1", "/v1/a/b?q", "/v2/a/b?q"), ("^/(a)/(b)$", "/$2/$1/$$", "/a/b", "/b/a/$"),
        ("b", "X", "/abcb", "/aXcb"), ("^/(x)?a", "/n$1", "/ab", "/nb"), ("z", "/y", "/ab", "as sent"),
        ("^/a", "", "/a", "/"), ("^/a/", "", "/a/b", "/b"), ("^/", "x", "/a", "/xa"), ("^.*$", "$$", "/a", "/$"),
        ("a\\Kb", "X", "/ab", "/aX"),
    ])
    func theFirstMatchIsReplaced(_ regex: String, _ new: String, _ target: String, _ expected: String) throws {
        #expect(
            try rewritten(target, .prefix("/", beatsRegex: false), .regex(regex, replacement: new)) == expected)
    }

    @Test func whatIsTakenOverIsEncodedAnew() throws {
        let location = RouteConfiguration.Location.prefix("/a/", beatsRegex: false)
        #expect(try rewritten("/a/b%20c%3f%23%25%5b", location, .prefix("/x/")) == "/x/b%20c%3F%23%25%5B")
        #expect(try rewritten("/a/%252F%7e%61", location, .prefix("/x/")) == "/x/%252F~a")
        #expect(try rewritten("/a/é%C3%A9", location, .prefix("/x/")) == "/x/%C3%A9%C3%A9")
        #expect(try rewritten("/a/b;c=d,e:f@g!$&'()*+", location, .prefix("/x/")) == "/x/b;c=d,e:f@g!$&'()*+")
    }

    @Test func theNormalisedPathIsRewrittenWithTheQueryAsSent() throws {
        let location = RouteConfiguration.Location.prefix("/a/", beatsRegex: false)
        #expect(try rewritten("/q/..//%61/b?%61=/../", location, .prefix("/x/")) == "/x/b?%61=/../")
    }

    @Test func allowedEncodedSlashesStayEncoded() throws {
        var path = PathConfiguration()
        path.allowEncodedSlash = true
        let location = RouteConfiguration.Location.prefix("/a/", beatsRegex: false)
        #expect(try rewritten("/a/b%2fc%5Cd%252Fe%20", location, .prefix("/x/"), path) == "/x/b%2Fc%5Cd%252Fe%20")
    }

    @Test func aRewriteNeverMakesADotSegment() throws {
        let location = RouteConfiguration.Location.prefix("/a", beatsRegex: false)
        for target in ["/a../etc", "/a..", "/a./x", "/a%2e%2e/etc", "/a/b"] {
            let expected = target == "/a/b" ? "/files/b" : "!rewritten_dots"
            #expect(try rewritten(target, location, .prefix("/files/")) == expected)
        }
        #expect(try rewritten("/a..;x", location, .prefix("/")) == "!rewritten_dots")
        let any = RouteConfiguration.Location.prefix("/", beatsRegex: false)
        #expect(try rewritten("/.x./b", any, .regex("x", replacement: "")) == "!rewritten_dots")
        var path = PathConfiguration()
        path.allowEncodedSlash = true
        #expect(try rewritten("/a..%2Fb", location, .prefix("/"), path) == "!rewritten_dots")
        #expect(try rewritten("/a..b/...", location, .prefix("/")) == "/..b/...")
    }

    @Test func anExpressionThatHitsItsLimitsRefusesTheRequest() throws {
        let target = "/" + String(repeating: "a", count: 200) + "!"
        let rewrite = RewriteConfiguration.regex("^/(a|a)*$", replacement: "/")
        #expect(try rewritten(target, .prefix("/", beatsRegex: false), rewrite) == "!pattern_limit")
    }
}
