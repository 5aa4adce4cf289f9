import Testing

@testable import Config

/// What routes refuse, and how locations and hosts are understood.
@Suite struct RouteKeyTests {
    private func route(_ keys: String, _ action: String = "service: orders") throws -> RouteConfiguration {
        let text = "services: [{name: orders, endpoints: []}]\nroutes:\n- {name: a, \(keys), \(action)}\n"
        return try #require(try load(text).routes.first)
    }

    @Test(arguments: [
        ("/p", RouteConfiguration.Location.prefix("/p", beatsRegex: false)), ("= /p", .exact("/p")),
        ("=/p", .exact("/p")),
        ("^~ /p/", .prefix("/p/", beatsRegex: true)), ("^~/p", .prefix("/p", beatsRegex: true)),
        ("~ ^/a b$", .regex("^/a b$", ignoresCase: false)), ("~^/a", .regex("^/a", ignoresCase: false)),
        ("~* PNG$", .regex("PNG$", ignoresCase: true)), ("/a b/ä", .prefix("/a b/ä", beatsRegex: false)),
        ("/100%", .prefix("/100%", beatsRegex: false)), ("/a%2Fb", .prefix("/a%2Fb", beatsRegex: false)),
        ("/...", .prefix("/...", beatsRegex: false)),
    ])
    func locationsHaveTheFormsOfNginx(text: String, location: RouteConfiguration.Location) throws {
        #expect(try route("location: \"\(text)\"").location == location)
        #expect(try route("location: \"\(location)\"").location == location)
    }

    @Test(arguments: [
        ("api", "location: a path begins with '/', found 'api' (did you mean '/api'?)"),
        ("= api", "location: a path begins with '/', found 'api' (did you mean '/api'?)"),
        ("", "location: a path begins with '/', found ''"),
        ("@name", "location: a path begins with '/', found '@name'"),
        ("/a?b=1", "location: matches the path alone; conditions on the query stand under 'query'"),
        ("/a%20b", "location: matches the decoded path, where %20 cannot stand"),
        ("/a//b", "location: matches the path with '//' merged, where '//' cannot stand"),
        ("/a/../b", "location: matches the path with '.' and '..' resolved, where they cannot stand"),
        ("/a/.", "location: matches the path with '.' and '..' resolved, where they cannot stand"),
        ("/a\\tb", "location: no path holds control characters"),
        ("~", "location: the regular expression is empty"),
    ])
    func locationsThatNeverMatchAreRefused(text: String, problem: String) {
        let (text, problem) = marked("routes:\n- {name: a, location: ▸\"\(text)\", respond: {}}\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test func theRegexEngineIsAskedAndItsWordPassedOn() {
        let text = """
            services: [{name: s, endpoints: []}]
            routes:
              - {name: a, location: "~* (", service: s}
              - {name: b, headers: {X-A: {regex: "["}}, query: {q: {regex: "x"}}, service: s}
              - {name: c, service: s, rewrite: {regex: "(a)(b)", replacement: /$3}}
            """
        var asked: [String] = []
        let found = problems(
            text,
            regexCheck: { pattern, ignoresCase in
                asked.append("\(pattern) \(ignoresCase)")
                return pattern.count > 1
                    ? .valid(groups: 2) : pattern == "x" ? .valid(groups: 0) : .invalid("unbalanced")
            })
        #expect(asked == ["( true", "[ false", "x false", "(a)(b) false"])
        #expect(
            found == [
                "a.yaml:3:25: location: bad regular expression: unbalanced",
                "a.yaml:4:38: X-A: bad regular expression: unbalanced",
                "a.yaml:5:67: replacement: there is no group 3; the regular expression has 2",
            ])
    }

    @Test(arguments: [
        ("hosts: [▸shop.local:80]", "hosts: ports are ignored, write the host alone (did you mean 'shop.local'?)"),
        ("hosts: [▸\"*\"]", "hosts: leave hosts out to match any host"),
        ("hosts: [▸\"shop.local.\"]", "hosts: 'shop.local.' ends with a dot (did you mean 'shop.local'?)"),
        ("hosts: [▸\"::1\"]", "hosts: an IPv6 address stands in brackets (did you mean '[::1]'?)"),
        ("hosts: [▸\"a b\"]", "hosts: expected a host name or *.name, found 'a b'"),
        ("hosts: [▸\"a.*.b\"]", "hosts: expected a host name or *.name, found 'a.*.b'"),
        ("hosts: [▸\"a..b\"]", "hosts: expected a host name or *.name, found 'a..b'"),
        ("hosts: [▸10.0.0.300]", "hosts: expected a host name or *.name, found '10.0.0.300'"),
        ("hosts: [a, ▸a]", "hosts: 'a' is listed twice"),
        ("hosts: ▸[]", "hosts: the list is empty; leave hosts out for any host"),
        ("hosts: ▸a", "hosts: expected a list, found 'a': write [a]"),
        ("methods: [▸get]", "methods: methods are upper case, found 'get' (did you mean 'GET'?)"),
        ("methods: [▸\"G T\"]", "methods: 'G T' is no method"),
        ("headers: {▸\"X A\": b}", "headers: 'X A' is no header name"),
        ("headers: {X-A: b, ▸x-a: c}", "headers: 'x-a' stands here twice; case does not matter"),
        ("headers: {X-A: {▸exct: b}}", "unknown key 'exct' (did you mean 'exact'?)"),
        (
            "headers: {X-A: ▸{exact: b, prefix: c}}",
            "X-A: a condition is one of exact, prefix, regex and present, found 2"
        ),
        ("headers: {X-A: ▸{}}", "X-A: a condition needs one of exact, prefix, regex and present"),
        ("headers: {X-A: {present: ▸yes}}", "present: expected true or false, found 'yes'"),
        ("headers: {X-A: ▸[b]}", "X-A: expected text, or one of exact, prefix, regex, present, found a list"),
        ("query: {a: ▸}", "a: expected text, or one of exact, prefix, regex, present, found nothing"),
        ("query: {▸\"\": a}", "query: a parameter's name has 1 to 128 bytes"),
        ("query: ▸[a]", "query: expected a mapping, found a list"),
        ("rewrite: ▸{}", "rewrite: takes either prefix, or regex and replacement"),
        ("rewrite: ▸{regex: a}", "rewrite: takes either prefix, or regex and replacement"),
        ("rewrite: {prefix: ▸new}", "prefix: a path begins with '/', found 'new' (did you mean '/new'?)"),
        (
            "rewrite: {prefix: ▸/a b}",
            "prefix: spaces, control and non-ASCII characters stand percent-encoded in a path"
        ),
        (
            "rewrite: {prefix: ▸\"/a?b\"}",
            "prefix: the request's query is kept, so '?' and '#' cannot stand in the path"
        ),
        ("rewrite: {prefix: ▸/100%}", "prefix: '%' needs two hexadecimal digits after it; '%' itself is %25"),
        (
            "location: \"~ ^/a\", rewrite: {prefix: ▸/b}",
            "prefix: the route's location is a regular expression; rewrite it with regex and replacement"
        ),
        (
            "rewrite: {regex: a, replacement: ▸$x}",
            "replacement: '$' stands before a group's number, 1 to 9, or doubled for itself"
        ),
        ("request_headers: {set: {X-A: ▸\"a\\nb\"}}", "X-A: a header value holds no line breaks"),
        ("request_headers: {set: {X-A: ▸\"a\\x07\"}}", "X-A: a header value holds no control characters"),
        ("request_headers: {set: {X-A: a, ▸x-a: b}}", "set: 'x-a' stands here twice; case does not matter"),
        (
            "request_headers: {set: {▸Content-Length: 1}}",
            "set: Content-Length concerns one connection or the framing; the proxy alone decides on it"
        ),
        (
            "response_headers: {add: {▸transfer-encoding: chunked}}",
            "add: transfer-encoding concerns one connection or the framing; the proxy alone decides on it"
        ),
        (
            "request_headers: {remove: [▸Connection]}",
            "remove: Connection concerns one connection or the framing; the proxy alone decides on it"
        ),
        ("request_headers: {remove: [▸Host]}", "remove: every request has a Host; set it instead"),
        ("request_headers: {add: {▸host: a}}", "add: a request has one Host; set it instead"),
        ("request_headers: {add: {X-A: [▸[b]]}}", "X-A: expected text, found a list"),
        ("request_headers: {▸sett: {}}", "unknown key 'sett' (did you mean 'set'?)"),
        ("timeouts: {▸connect: 1s}", "unknown key 'connect': timeouts takes response, idle"),
        ("timeouts: {response: ▸1}", "response: 1 has no unit: write 1s"),
        ("limits: {body: ▸1}", "body: 1 has no unit: write 1B"),
        ("listeners: [▸wb]", "no listener is named 'wb' (did you mean 'web'?)"),
        ("▸locaton: /a", "unknown key 'locaton' (did you mean 'location'?)"),
    ])
    func conditionsAndEditsAreChecked(keys: String, problem: String) {
        let around = "services: [{name: orders, endpoints: []}]\nlisteners: [{name: web, address: \"1.2.3.4:80\"}]\n"
        let (text, problem) = marked(around + "routes:\n- {name: a, \(keys), service: orders}\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test(arguments: [
        ("▸{name: a, methods: [GET]}", "a route needs one of 'service', 'redirect' and 'respond'"),
        ("{name: a, service: ▸a}", "no service is named 'a'"),
        ("{name: a, service: ▸odrers}", "no service is named 'odrers' (did you mean 'orders'?)"),
        ("{name: a, service: orders, ▸respond: {}}", "a route has one action: 'service' is given already"),
        ("{name: a, redirect: ▸{}}", "redirect: needs scheme, host or path, or it would lead to itself"),
        ("{name: a, redirect: {status: ▸200, path: /}}", "status: a redirect is 301, 302, 303, 307 or 308, found 200"),
        ("{name: a, redirect: {scheme: ▸htp}}", "scheme: expected http or https, found 'htp' (did you mean 'http'?)"),
        (
            "{name: a, redirect: {host: ▸\"a b\"}}",
            "host: expected a host, with a port where one is wanted, found 'a b'"
        ),
        (
            "{name: a, redirect: {host: ▸\"a:0\"}}",
            "host: expected a host, with a port where one is wanted, found 'a:0'"
        ),
        ("{name: a, redirect: {path: ▸x}}", "path: a path begins with '/', found 'x' (did you mean '/x'?)"),
        ("{name: a, respond: {status: ▸199}}", "status: must be 200 to 599, found 199"),
        ("{name: a, respond: {status: 204, body: ▸x}}", "body: a response with status 204 has no body"),
        ("{name: a, respond: {content_type: ▸\"a\\rb\"}}", "content_type: a header value holds no line breaks"),
        ("{name: a, respond: {}, ▸rewrite: {prefix: /a}}", "rewrite does nothing here: no service gets the request"),
        (
            "{name: a, respond: {}, ▸request_headers: {remove: [a]}}",
            "request_headers does nothing here: no service gets the request"
        ),
        (
            "{name: a, redirect: {path: /a}, ▸timeouts: {idle: 1s}}",
            "timeouts does nothing here: no service gets the request"
        ),
        (
            "{name: a, redirect: {path: /a}, ▸limits: {body: 1B}}",
            "limits does nothing here: no service gets the request"
        ),
    ])
    func actionsAreChecked(action: String, problem: String) {
        let (text, problem) = marked("services: [{name: orders, endpoints: []}]\nroutes:\n- \(action)\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test func hostsAreHeldInLowerCaseWithoutTheStar() throws {
        let hosts = try route("hosts: [Shop.Local, \"*.SHOP.local\", \"[FD00::1]\", 10.0.0.1, x_y]").hosts
        #expect(
            hosts == [
                .exact("shop.local"), .wildcard("shop.local"), .exact("[fd00::1]"), .exact("10.0.0.1"), .exact("x_y"),
            ])
    }

    @Test func aTextCanBeWrittenWithoutQuotes() throws {
        let route = try route("headers: {X-N: 5, X-B: true}, request_headers: {set: {X-V: 1.10}}")
        #expect(route.headers.map(\.test) == [.exact("5"), .exact("true")])
        #expect(route.requestHeaders.set.map(\.value) == ["1.10"])
    }

    @Test func dollarsInReplacementsAreGroupsOrDoubled() throws {
        #expect(
            try route("rewrite: {regex: \"(a)\", replacement: \"/$1/$$x\"}").rewrite
                == .regex("(a)", replacement: "/$1/$$x"))
    }
}
