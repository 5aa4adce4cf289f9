import Config
import Core
import HTTP
import Testing

@testable import Traffic

@Suite struct RouteTableTests {
    /// Routes with the locations as nginx writes them; each is named after its location.
    private func table(_ locations: String...) throws -> RouteTable {
        try RouteTable(configuration(locations.map { route($0, location($0)) }))
    }

    private func location(_ text: String) -> RouteConfiguration.Location {
        let argument = String(text.drop(while: { $0 != " " }).dropFirst())
        return switch text.prefix(while: { $0 != " " }) {
        case "=": .exact(argument)
        case "^~": .prefix(argument, beatsRegex: true)
        case "~": .regex(argument, ignoresCase: false)
        case "~*": .regex(argument, ignoresCase: true)
        default: .prefix(text, beatsRegex: false)
        }
    }

    // MARK: Locations

    @Test(arguments: [
        // The example of nginx's own reference, letters A to E.
        ("/", "= /"), ("/index.html", "/"), ("/documents/document.html", "/documents/"),
        ("/images/1.gif", "^~ /images/"), ("/documents/1.jpg", "~* \\.(gif|jpg|jpeg)$"),
        ("/documents/1.JPEG", "~* \\.(gif|jpg|jpeg)$"), ("/documents/1.jpg.txt", "/documents/"),
    ])
    func nginxPrecedenceHolds(_ path: String, _ expected: String) throws {
        let table = try table("= /", "/", "/documents/", "^~ /images/", "~* \\.(gif|jpg|jpeg)$")
        #expect(try matched(table, request("GET", path)) == expected)
    }

    @Test func aPrefixIsOneOfBytesNotOfSegments() throws {
        let table = try table("/api", "/api/v1")
        #expect(try matched(table, request("GET", "/apiary")) == "/api")
        #expect(try matched(table, request("GET", "/api/v10")) == "/api/v1")
        #expect(try matched(table, request("GET", "/ap")) == nil)
    }

    @Test func exactBeatsEverything() throws {
        let table = try table("~ ^/a$", "^~ /a", "/a", "= /a")
        #expect(try matched(table, request("GET", "/a")) == "= /a")
        #expect(try matched(table, request("GET", "/a?q")) == "= /a")
        #expect(try matched(table, request("GET", "/a/")) == "^~ /a")
    }

    @Test func aLongerPlainPrefixLetsRegexesBeatAShorterHatOne() throws {
        let table = try table("^~ /a/", "/a/b/", "~ c$")
        #expect(try matched(table, request("GET", "/a/x/c")) == "^~ /a/")
        #expect(try matched(table, request("GET", "/a/b/c")) == "~ c$")
        #expect(try matched(table, request("GET", "/a/b/d")) == "/a/b/")
    }

    @Test func regexesAreTriedInFileOrder() throws {
        let table = try table("~ b", "~ a", "/")
        #expect(try matched(table, request("GET", "/ab")) == "~ b")
        #expect(try matched(table, request("GET", "/a")) == "~ a")
        #expect(try matched(table, request("GET", "/c")) == "/")
    }

    @Test func regexesIgnoreCaseOnlyWithTheStar() throws {
        let table = try table("~ ^/Big$", "~* ^/any$")
        #expect(try matched(table, request("GET", "/big")) == nil)
        #expect(try matched(table, request("GET", "/ANY")) == "~* ^/any$")
    }

    @Test func theNormalisedPathIsMatched() throws {
        let table = try table("/admin/", "= /a b", "/")
        #expect(try matched(table, request("GET", "/x/..//%61dmin/y")) == "/admin/")
        #expect(try matched(table, request("GET", "/a%20b")) == "= /a b")
    }

    @Test func aRegexThatHitsItsLimitsLeavesNoRoute() throws {
        let table = try table("~ ^/(a|a)*$", "/")
        let scratch = RouteScratch()
        let head = request("GET", "/" + String(repeating: "a", count: 200) + "!")
        #expect(table.match(head, path: head.bytes(head.path), listener: 0, scratch: scratch) == nil)
        #expect(scratch.patternFailed)
        let harmless = request("GET", "/b")
        #expect(table.match(harmless, path: harmless.bytes(harmless.path), listener: 0, scratch: scratch) == 1)
        #expect(!scratch.patternFailed)
    }

    // MARK: Hosts

    private func hostTable() throws -> RouteTable {
        try RouteTable(
            configuration([
                route("any"),
                route("exact") { $0.hosts = [.exact("shop.local")] },
                route("wild") { $0.hosts = [.wildcard("shop.local")] },
                route("wilder") { $0.hosts = [.wildcard("eu.shop.local")] },
                route("two") { $0.hosts = [.exact("a.test"), .exact("b.test")] },
                route("six") { $0.hosts = [.exact("::1")] },
            ]))
    }

    @Test(arguments: [
        ("shop.local", "exact"), ("SHOP.Local", "exact"), ("shop.local:8080", "exact"), ("shop.local.", "exact"),
        ("shop.local.:80", "exact"), ("a.shop.local", "wild"), ("b.A.shop.LOCAL:1", "wild"), ("eu.shop.local", "wild"),
        ("x.eu.shop.local", "wilder"), ("y.x.eu.shop.local", "wilder"), ("ashop.local", "any"), (".shop.local", "any"),
        ("local", "any"), ("a.test", "two"), ("b.test", "two"), ("[::1]", "six"), ("[::1]:80", "six"), ("", "any"),
        ("shop.local:", "exact"), ("other", "any"),
    ])
    func theMostSpecificHostWins(_ host: String, _ expected: String) throws {
        #expect(try matched(try hostTable(), request("GET", "/", host: host)) == expected)
    }

    @Test func aRequestWithoutHostTakesRoutesForAnyHost() throws {
        #expect(try matched(try hostTable(), request("GET", "/")) == "any")
    }

    @Test func longNamesTakeRoutesForAnyHost() throws {
        let labels = String(repeating: "a.", count: 4000)
        #expect(try matched(try hostTable(), request("GET", "/", host: labels + "shop.local")) == "any")
    }

    @Test func lessSpecificHostsTakeWhatNoRouteOfTheOthersTakes() throws {
        let table = try RouteTable(
            configuration([
                route("exact", .exact("/1")) { $0.hosts = [.exact("x.eu.shop.local")] },
                route("wilder", .exact("/2")) { $0.hosts = [.wildcard("eu.shop.local")] },
                route("wild", .exact("/3")) { $0.hosts = [.wildcard("shop.local")] },
                route("any", .exact("/4")),
            ]))
        for (path, expected) in [("/1", "exact"), ("/2", "wilder"), ("/3", "wild"), ("/4", "any"), ("/5", nil)] {
            #expect(try matched(table, request("GET", path, host: "x.eu.shop.local")) == expected)
        }
        #expect(try matched(table, request("GET", "/1", host: "y.eu.shop.local")) == nil)
    }

    @Test func theHostDecidesBeforeTheLocation() throws {
        let table = try RouteTable(
            configuration([
                route("any", .exact("/health")),
                route("shop") { $0.hosts = [.exact("shop.local")] },
            ]))
        #expect(try matched(table, request("GET", "/health", host: "shop.local")) == "shop")
        #expect(try matched(table, request("GET", "/health", host: "else")) == "any")
    }

    // MARK: Conditions

    @Test func methodsMatchByName() throws {
        let table = try RouteTable(
            configuration([
                route("read") { $0.methods = ["GET", "HEAD"] },
                route("purge") { $0.methods = ["PURGE", "LINK"] },
            ]))
        #expect(try matched(table, request("GET")) == "read")
        #expect(try matched(table, request("HEAD")) == "read")
        #expect(try matched(table, request("POST")) == nil)
        #expect(try matched(table, request("PURGE")) == "purge")
        #expect(try matched(table, request("LINK")) == "purge")
        #expect(try matched(table, request("purge")) == nil)
        #expect(try matched(table, request("get")) == nil)
    }

    private func table(_ condition: FieldCondition) throws -> RouteTable {
        try RouteTable(configuration([route("r") { $0.headers = [condition] }]))
    }

    @Test func headersMatchInFiveWays() throws {
        func holds(_ name: String, _ test: FieldCondition.Test, _ fields: (String, String)...) throws -> Bool {
            try matched(table(FieldCondition(name: name, test: test)), request(fields: fields)) == "r"
        }
        for name in ["X-Version", "User-Agent"] {
            let other = name.uppercased()
            #expect(try holds(name, .exact("2"), (other, "2")))
            #expect(try !holds(name, .exact("2"), (other, "22")))
            #expect(try !holds(name, .exact("a"), (other, "A")))
            #expect(try holds(name, .exact("2"), (other, "1"), ("Other", "x"), (name, "2")))
            #expect(try holds(name, .prefix("v"), (other, "v2")))
            #expect(try !holds(name, .prefix("v2"), (other, "v")))
            #expect(try holds(name, .regex("^v[0-9]$"), (other, "x"), (other, "v2")))
            #expect(try !holds(name, .regex("^v[0-9]$"), (other, "v22")))
            #expect(try holds(name, .present, (other, "")))
            #expect(try !holds(name, .present, ("X-Versions", "")))
            #expect(try holds(name, .absent, ("X-Versions", "")))
            #expect(try !holds(name, .absent, (other, "")))
        }
    }

    @Test func removedFieldsAreAbsent() throws {
        let table = try table(FieldCondition(name: "X-A", test: .present))
        let head = request(fields: [("X-A", "1")])
        head.headers.remove(at: 0)
        #expect(try matched(table, head) == nil)
    }

    @Test func queryParametersMatchDecoded() throws {
        func holds(_ name: String, _ test: FieldCondition.Test, _ target: String) throws -> Bool {
            let table = try RouteTable(
                configuration([route("r") { $0.query = [FieldCondition(name: name, test: test)] }]))
            return try matched(table, request("GET", target)) == "r"
        }
        #expect(try holds("v", .exact("2"), "/?v=2"))
        #expect(try holds("v", .exact("2"), "/?a=1&v=2&b"))
        #expect(try holds("v", .exact("2"), "/?v=1&v=2"))
        #expect(try holds("v", .exact("2"), "/?%76=%32"))
        #expect(try holds("v", .exact("a=b"), "/?v=a=b"))
        #expect(try holds("v", .exact("a+b"), "/?v=a+b"))
        #expect(try holds("v", .exact("a b"), "/?v=a%20b"))
        #expect(try holds("v", .exact("%zz"), "/?v=%zz"))
        #expect(try !holds("v", .exact("2"), "/?V=2"))
        #expect(try !holds("v", .exact("2"), "/?v=22"))
        #expect(try !holds("v", .exact("22"), "/?v=2"))
        #expect(try !holds("v", .exact("2"), "/v=2"))
        #expect(try holds("v", .prefix("ab"), "/?v=a%62c"))
        #expect(try !holds("v", .prefix("abc"), "/?v=ab"))
        #expect(try holds("v", .regex("^\\d+ $"), "/?v=x&v=12%20"))
        #expect(try holds("v", .present, "/?v"))
        #expect(try holds("v", .present, "/?v="))
        #expect(try !holds("v", .present, "/?w=v"))
        #expect(try holds("v", .absent, "/"))
        #expect(try holds("v", .absent, "/?vv=1"))
        #expect(try !holds("v", .absent, "/?&v&"))
    }

    @Test func moreConditionsComeFirstThenFileOrder() throws {
        let table = try RouteTable(
            configuration([
                route("plain", .prefix("/a", beatsRegex: false)),
                route("method", .prefix("/a", beatsRegex: false)) { $0.methods = ["POST"] },
                route("both", .prefix("/a", beatsRegex: false)) {
                    $0.methods = ["POST"]
                    $0.headers = [FieldCondition(name: "X", test: .present)]
                },
                route("method again", .prefix("/a", beatsRegex: false)) { $0.methods = ["POST"] },
            ]))
        #expect(try matched(table, request("GET", "/a")) == "plain")
        #expect(try matched(table, request("POST", "/a")) == "method")
        #expect(try matched(table, request("POST", "/a", fields: [("x", "")])) == "both")
    }

    @Test func conditionsThatFailLeaveTheNextBestLocation() throws {
        let table = try RouteTable(
            configuration([
                route("exact", .exact("/a/b")) { $0.methods = ["PUT"] },
                route("hat", .prefix("/a/", beatsRegex: true)) { $0.methods = ["POST"] },
                route("regex", .regex("b$", ignoresCase: false)) { $0.methods = ["PATCH", "POST", "PUT"] },
                route("same regex", .regex("b$", ignoresCase: false)) { $0.methods = ["DELETE"] },
                route("short"),
            ]))
        for (method, expected) in [
            ("PUT", "exact"), ("POST", "hat"), ("PATCH", "regex"), ("DELETE", "same regex"), ("GET", "short"),
        ] {
            #expect(try matched(table, request(method, "/a/b")) == expected)
        }
    }

    @Test func anExpressionStandsWhereItsFirstRouteDoes() throws {
        let table = try RouteTable(
            configuration([
                route("post", .regex("a", ignoresCase: false)) { $0.methods = ["POST"] },
                route("between", .regex("b", ignoresCase: false)),
                route("other", .regex("a", ignoresCase: false)),
            ]))
        #expect(try matched(table, request("POST", "/ab")) == "post")
        #expect(try matched(table, request("GET", "/ab")) == "other")
    }

    @Test func aRouteMayBeForSomeListenersOnly() throws {
        let table = try RouteTable(
            configuration([
                route("all"), route("second") { $0.listeners = ["two"] },
                route("first", .exact("/a")) { $0.listeners = ["one"] },
            ]))
        #expect(try matched(table, request("GET"), listener: 0) == "all")
        #expect(try matched(table, request("GET"), listener: 1) == "second")
        #expect(try matched(table, request("GET", "/a"), listener: 0) == "first")
        #expect(try matched(table, request("GET", "/a"), listener: 1) == "second")
    }

    @Test func aTableWithoutRoutesMatchesNothing() throws {
        #expect(try matched(try RouteTable(configuration([])), request()) == nil)
    }

    // MARK: Mistakes

    @Test func allMistakesOfAllRoutesAreReported() {
        var redirect = RedirectConfiguration()
        redirect.path = "no slash\r\n"
        redirect.status = 200
        let broken = configuration([
            route("one", .regex("(", ignoresCase: false)) {
                $0.listeners = ["three"]
                $0.headers = [FieldCondition(name: "X-A", test: .regex("["))]
                $0.query = [FieldCondition(name: "q", test: .regex("*"))]
                $0.action = .service("none")
                $0.rewrite = .prefix("/x")
                $0.source = "services.yaml:7"
            },
            route("two") {
                $0.action = .redirect(redirect)
                $0.rewrite = .regex("(a", replacement: "$x$")
            },
            route("three") {
                $0.rewrite = .regex("a", replacement: "/b?c$1")
                $0.requestHeaders.set = [
                    .init(name: "Content-Length", value: "1"), .init(name: "a b", value: ""),
                    .init(name: "a", value: "b\r\nc"),
                ]
                $0.requestHeaders.remove = ["Host"]
                $0.responseHeaders.add = [.init(name: "connection", value: "close")]
            },
        ])
        do throws(RouteTableError) {
            _ = try RouteTable(broken)
            Issue.record("compiled")
        } catch {
            #expect(
                error.problems.map { "\($0.routeName) \($0.what)" } == [
                    "one location", "one listeners", "one headers.X-A", "one query.q", "one service",
                    "one rewrite.prefix", "two redirect.status", "two redirect.path", "two redirect.path",
                    "two rewrite.regex", "two rewrite.replacement", "two rewrite.replacement",
                    "three rewrite.replacement", "three rewrite.replacement", "three request_headers.remove.Host",
                    "three request_headers.set.Content-Length", "three request_headers.set.a b",
                    "three request_headers.set.a", "three response_headers.add.connection",
                ])
            #expect(
                error.problems[0].message == "missing closing parenthesis at byte 1 of the regular expression")
            #expect(error.description.hasPrefix("services.yaml:7: route one, location: missing"))
        }
    }
}
