import Testing

@testable import Config

/// What routes refuse, and how locations and hosts are understood.
@Suite struct RouteKeyTests {
    /// The problems of one route that leads to a service there is; positions within the route's line.
    private func routeProblems(_ keys: String, _ action: String = "service: orders") -> [String] {
        let text = "services: [{name: orders, endpoints: []}]\nroutes:\n- {name: a, \(keys), \(action)}\n"
        return problems(text).map { line in
            line.hasPrefix("a.yaml:3:") ? String(line.dropFirst(9)) : line
        }
    }

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
        ("api", "21: location: a path begins with '/', found 'api' (did you mean '/api'?)"),
        ("= api", "21: location: a path begins with '/', found 'api' (did you mean '/api'?)"),
        ("", "21: location: a path begins with '/', found ''"),
        ("@name", "21: location: a path begins with '/', found '@name'"),
        ("/a?b=1", "21: location: matches the path alone; conditions on the query stand under 'query'"),
        ("/a%20b", "21: location: matches the decoded path, where %20 cannot stand"),
        ("/a//b", "21: location: matches the path with '//' merged, where '//' cannot stand"),
        ("/a/../b", "21: location: matches the path with '.' and '..' resolved, where they cannot stand"),
        ("/a/.", "21: location: matches the path with '.' and '..' resolved, where they cannot stand"),
        ("/a\\tb", "21: location: no path holds control characters"),
        ("~", "21: location: the regular expression is empty"),
    ])
    func locationsThatNeverMatchAreRefused(text: String, problem: String) {
        #expect(routeProblems("location: \"\(text)\"") == [problem])
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
                "a.yaml:5:64: replacement: there is no group 3; the regular expression has 2",
            ])
    }

    @Test(arguments: [
        ("hosts: [shop.local:80]", "19: hosts: ports are ignored, write the host alone (did you mean 'shop.local'?)"),
        ("hosts: [\"*\"]", "19: hosts: leave hosts out to match any host"),
        ("hosts: [\"shop.local.\"]", "19: hosts: 'shop.local.' ends with a dot (did you mean 'shop.local'?)"),
        ("hosts: [\"::1\"]", "19: hosts: an IPv6 address stands in brackets (did you mean '[::1]'?)"),
        ("hosts: [\"a b\"]", "19: hosts: expected a host name or *.name, found 'a b'"),
        ("hosts: [\"a.*.b\"]", "19: hosts: expected a host name or *.name, found 'a.*.b'"),
        ("hosts: [\"a..b\"]", "19: hosts: expected a host name or *.name, found 'a..b'"),
        ("hosts: [10.0.0.300]", "19: hosts: expected a host name or *.name, found '10.0.0.300'"),
        ("hosts: [a, a]", "22: hosts: 'a' is listed twice"),
        ("hosts: []", "18: hosts: the list is empty; leave hosts out for any host"),
        ("hosts: a", "18: hosts: expected a list, found 'a': write [a]"),
        ("methods: [get]", "21: methods: methods are upper case, found 'get' (did you mean 'GET'?)"),
        ("methods: [\"G T\"]", "21: methods: 'G T' is no method"),
        ("headers: {\"X A\": b}", "22: headers: 'X A' is no header name"),
        ("headers: {X-A: b, x-a: c}", "30: headers: 'x-a' stands here twice; case does not matter"),
        ("headers: {X-A: {exct: b}}", "28: unknown key 'exct' (did you mean 'exact'?)"),
        (
            "headers: {X-A: {exact: b, prefix: c}}",
            "27: X-A: a condition is one of exact, prefix, regex and present, found 2"
        ),
        ("headers: {X-A: {}}", "27: X-A: a condition needs one of exact, prefix, regex and present"),
        ("headers: {X-A: {present: yes}}", "37: present: expected true or false, found 'yes'"),
        ("headers: {X-A: [b]}", "27: X-A: expected text, or one of exact, prefix, regex, present, found a list"),
        ("query: {a: }", "23: a: expected text, or one of exact, prefix, regex, present, found nothing"),
        ("query: [a]", "18: query: expected a mapping, found a list"),
        ("rewrite: {}", "20: rewrite: takes either prefix, or regex and replacement"),
        ("rewrite: {regex: a}", "20: rewrite: takes either prefix, or regex and replacement"),
        ("rewrite: {prefix: new}", "29: prefix: a path begins with '/', found 'new' (did you mean '/new'?)"),
        (
            "rewrite: {prefix: /a b}",
            "29: prefix: spaces, control and non-ASCII characters stand percent-encoded in a path"
        ),
        (
            "rewrite: {prefix: \"/a?b\"}",
            "29: prefix: the request's query is kept, so '?' and '#' cannot stand in the path"
        ),
        ("rewrite: {prefix: /100%}", "29: prefix: '%' needs two hexadecimal digits after it; '%' itself is %25"),
        (
            "location: \"~ ^/a\", rewrite: {prefix: /b}",
            "49: prefix: the route's location is a regular expression; rewrite it with regex and replacement"
        ),
        (
            "rewrite: {regex: a, replacement: $x}",
            "44: replacement: '$' stands before a group's number, 1 to 9, or doubled for itself"
        ),
        ("request_headers: {set: {X-A: \"a\\nb\"}}", "40: X-A: a header value holds no line breaks"),
        ("request_headers: {set: {X-A: \"a\\x07\"}}", "40: X-A: a header value holds no control characters"),
        ("request_headers: {set: {X-A: a, x-a: b}}", "43: set: 'x-a' stands here twice; case does not matter"),
        (
            "request_headers: {set: {Content-Length: 1}}",
            "36: set: Content-Length concerns one connection or the framing; the proxy alone decides on it"
        ),
        (
            "response_headers: {add: {transfer-encoding: chunked}}",
            "37: add: transfer-encoding concerns one connection or the framing; the proxy alone decides on it"
        ),
        (
            "request_headers: {remove: [Connection]}",
            "39: remove: Connection concerns one connection or the framing; the proxy alone decides on it"
        ),
        ("request_headers: {remove: [Host]}", "39: remove: every request has a Host; set it instead"),
        ("request_headers: {add: {host: a}}", "36: add: a request has one Host; set it instead"),
        ("request_headers: {add: {X-A: [[b]]}}", "41: X-A: expected text, found a list"),
        ("request_headers: {sett: {}}", "30: unknown key 'sett' (did you mean 'set'?)"),
        ("timeouts: {connect: 1s}", "23: unknown key 'connect': timeouts takes response, idle"),
        ("timeouts: {response: 1}", "33: response: 1 has no unit: write 1s"),
        ("limits: {body: 1}", "27: body: 1 has no unit: write 1B"),
        ("listeners: [wb]", "23: no listener is named 'wb' (did you mean 'web'?)"),
        ("locaton: /a", "11: unknown key 'locaton' (did you mean 'location'?)"),
    ])
    func conditionsAndEditsAreChecked(keys: String, problem: String) {
        let text = "services: [{name: orders, endpoints: []}]\nlisteners: [{name: web, address: \"1.2.3.4:80\"}]\n"
        let found = problems(text + "routes:\n- {name: a, \(keys), service: orders}\n")
        #expect(found == ["a.yaml:4:\(problem)"])
    }

    @Test(arguments: [
        ("methods: [GET]", "3: a route needs one of 'service', 'redirect' and 'respond'"),
        ("service: a", "12: no service is named 'a'"),
        ("service: odrers", "21: no service is named 'odrers' (did you mean 'orders'?)"),
        ("service: orders, respond: {}", "29: a route has one action: 'service' is given already"),
        ("redirect: {}", "22: redirect: needs scheme, host or path, or it would lead to itself"),
        ("redirect: {status: 200, path: /}", "31: status: a redirect is 301, 302, 303, 307 or 308, found 200"),
        ("redirect: {scheme: htp}", "31: scheme: expected http or https, found 'htp' (did you mean 'http'?)"),
        ("redirect: {host: \"a b\"}", "29: host: expected a host, with a port where one is wanted, found 'a b'"),
        ("redirect: {host: \"a:0\"}", "29: host: expected a host, with a port where one is wanted, found 'a:0'"),
        ("redirect: {path: x}", "29: path: a path begins with '/', found 'x' (did you mean '/x'?)"),
        ("respond: {status: 199}", "29: status: must be 200 to 599, found 199"),
        ("respond: {status: 204, body: x}", "40: body: a response with status 204 has no body"),
        ("respond: {content_type: \"a\\rb\"}", "35: content_type: a header value holds no line breaks"),
        ("respond: {}, rewrite: {prefix: /a}", "25: rewrite does nothing here: no service gets the request"),
        (
            "respond: {}, request_headers: {remove: [a]}",
            "25: request_headers does nothing here: no service gets the request"
        ),
        ("redirect: {path: /a}, timeouts: {idle: 1s}", "34: timeouts does nothing here: no service gets the request"),
        ("redirect: {path: /a}, limits: {body: 1B}", "34: limits does nothing here: no service gets the request"),
    ])
    func actionsAreChecked(action: String, problem: String) {
        let found = problems("services: [{name: orders, endpoints: []}]\nroutes:\n- {name: a, \(action)}\n")
        let expected = "a.yaml:3:\(problem)"
        #expect(found == [action == "service: a" ? "a.yaml:3:21: no service is named 'a'" : expected])
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
