"""Which route a request takes, and what the route makes of it."""

import pytest

from support.client import RawClient
from support.ports import free_port
from support.sidecar import gateway, proxy_to
from support.upstream import response


def says(name, **conditions):
    """A route that answers its own name."""
    return {"name": name, **conditions, "respond": {"body": name}}


def taken(proxy, path="/", *lines, host="test.local", method="GET"):
    answer = proxy.request(method, path, *lines, host=host)
    return answer.body.decode() if answer.status == 200 else answer.reason


# Hosts.


def test_hosts_match_exactly_then_by_wildcard_then_any(run):
    proxy = run(gateway([
        says("any"),
        says("wild", hosts=["*.shop.local"]),
        says("wilder", hosts=["*.eu.shop.local"]),
        says("exact", hosts=["shop.local", "api.shop.local"]),
    ]))
    assert taken(proxy, host="shop.local") == "exact"
    assert taken(proxy, host="api.shop.local") == "exact"
    assert taken(proxy, host="www.shop.local") == "wild"
    assert taken(proxy, host="a.b.shop.local") == "wild"
    assert taken(proxy, host="de.eu.shop.local") == "wilder"
    assert taken(proxy, host="notshop.local") == "any"


def test_a_hosts_case_and_port_do_not_matter(run):
    proxy = run(gateway([says("exact", hosts=["Shop.Local"])]))
    assert taken(proxy, host="SHOP.local:8080") == "exact"


def test_the_host_of_absolute_form_decides(run):
    proxy = run(gateway([says("a", hosts=["a.local"]), says("b", hosts=["b.local"])]))
    with proxy.client() as client:
        client.send(b"GET http://b.local/ HTTP/1.1\r\nHost: a.local\r\n\r\n")
        assert client.response().body == b"b"


def test_no_route_is_404_with_its_reason(run):
    proxy = run(gateway([says("only", hosts=["only.local"], location="/a")]))
    answer = proxy.get("/b", host="only.local")
    assert (answer.status, answer.reason) == (404, "no_route")
    assert proxy.get("/a", host="other.local").reason == "no_route"
    assert proxy.log_line(url__path="/b")["sidecar.reason"] == "no_route"


# Locations, as nginx has them.

LOCATIONS = [
    says("root", location="/"),
    says("images", location="^~ /images/"),
    says("pictures", location=r"~* \.(gif|jpe?g)$"),
    says("php", location=r"~ \.php$"),
    says("late", location=r"~ \.(php|cgi)$"),
    says("documents", location="/documents/"),
    says("deep", location="/documents/deep/"),
    says("exact", location="= /"),
    says("exactly", location="= /documents/exact.gif"),
]


@pytest.mark.parametrize("path,route", [
    ("/", "exact"),
    ("/?query", "exact"),
    ("/index.html", "root"),
    ("/documents/a.html", "documents"),
    ("/documents/deep/a.html", "deep"),
    ("/documents/1.jpg", "pictures"),
    ("/documents/1.JPG", "pictures"),
    ("/documents/deep/1.jpeg", "pictures"),
    ("/images/1.gif", "images"),
    ("/documents/exact.gif", "exactly"),
    ("/a.php", "php"),
    ("/a.PHP", "root"),
    ("/a.cgi", "late"),
    ("/documents", "root"),
])
def test_locations_have_nginxs_precedence(run, path, route):
    assert taken(run(gateway(LOCATIONS)), path) == route


def test_the_very_same_locations_are_chosen_by_nginx(run, tmp_path):
    from support.nginx import Nginx

    blocks = "".join(
        f'location {route["location"]} {{ return 200 "{route["name"]}"; }}\n' for route in LOCATIONS
        if route["location"] != "/")
    server = Nginx(tmp_path / "n", blocks)
    proxy = run(gateway(LOCATIONS))
    try:
        for path in ("/documents/1.jpg", "/images/1.gif", "/a.php", "/a.cgi", "/documents/deep/x",
                     "/documents/exact.gif", "/documents/x", "/documents//1.jpg", "/x/../images/1.gif",
                     "/%69mages/1.gif"):
            with RawClient(server.port) as client:
                assert client.get(path).body.decode() == taken(proxy, path), path
    finally:
        server.close()


# Conditions.


def test_methods_decide(run):
    proxy = run(gateway([says("read", methods=["GET", "HEAD"]), says("write", methods=["POST"])]))
    assert taken(proxy) == "read"
    assert taken(proxy, method="POST") == "write"
    assert taken(proxy, method="DELETE") == "no_route"


def test_header_conditions_decide_in_every_form(run):
    proxy = run(gateway([
        says("exact", location="/e", headers={"X-Kind": "one"}),
        says("prefix", location="/p", headers={"x-kind": {"prefix": "on"}}),
        says("regex", location="/r", headers={"X-Kind": {"regex": "^o.e$"}}),
        says("present", location="/y", headers={"X-Kind": {"present": True}}),
        says("absent", location="/n", headers={"X-Kind": {"present": False}}),
    ]))
    for path, route in (("/e", "exact"), ("/p", "prefix"), ("/r", "regex"), ("/y", "present")):
        assert taken(proxy, path, "x-KIND: one") == route
        assert taken(proxy, path, "X-Kind: two") == ("present" if route == "present" else "no_route")
        assert taken(proxy, path) == "no_route"
    assert taken(proxy, "/n") == "absent"
    assert taken(proxy, "/n", "X-Kind: one") == "no_route"


def test_query_conditions_decide(run):
    proxy = run(gateway([says("beta", query={"version": "beta"}), says("debug", query={"debug": {"present": True}}),
                         says("plain")]))
    assert taken(proxy, "/?version=beta") == "beta"
    assert taken(proxy, "/?a=1&version=beta&b") == "beta"
    assert taken(proxy, "/?version=betamax") == "plain"
    assert taken(proxy, "/?debug") == "debug"
    assert taken(proxy, "/?debugger") == "plain"


def test_the_most_specific_condition_wins_among_equal_locations(run):
    proxy = run(gateway([
        says("any", location="/api/"),
        says("post", location="/api/", methods=["POST"]),
        says("ajax", location="/api/", methods=["POST"], headers={"X-Requested-With": "XMLHttpRequest"}),
    ]))
    assert taken(proxy, "/api/x") == "any"
    assert taken(proxy, "/api/x", method="POST") == "post"
    assert taken(proxy, "/api/x", "X-Requested-With: XMLHttpRequest", method="POST") == "ajax"


# What is done with the request.


def test_a_prefix_rewrite_replaces_what_the_location_matched(run, upstream):
    server = upstream()
    proxy = run(gateway([
        {"name": "api", "location": "/api/", "service": "app", "rewrite": {"prefix": "/v2/"}}], {"app": server}))
    proxy.get("/api/orders/7?x=1")
    assert server.requests[0].target == "/v2/orders/7?x=1"


def test_a_regex_rewrite_uses_its_groups(run, upstream):
    server = upstream()
    proxy = run(gateway([{
        "name": "users", "location": "/", "service": "app",
        "rewrite": {"regex": "^/users/([0-9]+)/(.*)$", "replacement": "/$2/of/$1"},
    }], {"app": server}))
    proxy.get("/users/42/orders?sort=up")
    proxy.get("/else")
    assert [request.target for request in server.requests] == ["/orders/of/42?sort=up", "/else"]


def test_a_redirect_is_put_together_from_the_requests_own_parts(run):
    proxy = run(gateway([
        {"name": "secure", "location": "/secure", "redirect": {"scheme": "https", "status": 308}},
        {"name": "moved", "location": "= /old", "redirect": {"path": "/new", "status": 301}},
        {"name": "away", "location": "/away", "redirect": {"host": "other.local:8443", "scheme": "https"}},
    ]))
    answer = proxy.get("/secure/x?q=1", host="shop.local")
    assert (answer.status, answer.get("location")) == (308, "https://shop.local/secure/x?q=1")
    answer = proxy.get("/old?q=1")
    assert answer.status == 301
    assert answer.get("location") in ("/new?q=1", "http://test.local/new?q=1")
    answer = proxy.get("/away/y")
    assert (answer.status, answer.get("location")) == (302, "https://other.local:8443/away/y")


def test_a_fixed_response_is_given_as_configured(run):
    proxy = run(gateway([{
        "name": "teapot", "location": "/", "respond":
        {"status": 418, "body": '{"short": "and stout"}', "content_type": "application/json"}}]))
    with proxy.client() as client:
        answer = client.get("/")
        assert answer.status == 418
        assert answer.get("content-type") == "application/json"
        assert answer.body == b'{"short": "and stout"}'
        head = client.request("HEAD", "/")
        assert head.status == 418
        answer = client.request("POST", "/", body=b"x" * 1000)
        assert answer.status == 418
        assert client.get("/").status == 418


def test_headers_are_removed_set_and_added_in_both_directions(run, upstream):
    server = upstream(lambda peer: [peer.send(response(b"x", "X-Secret: 1", "X-Set: theirs", "X-Add: 1"))
                                    for _ in iter(peer.request, None)])
    proxy = run(gateway([{
        "name": "edit", "location": "/", "service": "app",
        "request_headers": {"remove": ["X-Bad"], "set": {"X-Set": "ours"}, "add": {"X-Add": "2"}},
        "response_headers": {"remove": ["x-secret"], "set": {"X-Set": "ours"}, "add": {"X-Add": ["2", "3"]}},
    }], {"app": server}))
    answer = proxy.get("/", "X-BAD: 1", "x-set: mine", "x-set: again", "X-Add: 1")
    request = server.requests[0]
    assert request.get("x-bad") is None
    assert request.all("x-set") == ["ours"]
    assert request.all("x-add") == ["1", "2"]
    assert answer.get("x-secret") is None
    assert answer.all("x-set") == ["ours"]
    assert answer.all("x-add") == ["1", "2", "3"]


def test_a_routes_own_response_timeout_is_used(run, upstream):
    def script(peer):
        peer.request()
        peer.wait_closed()

    proxy = run(gateway([
        {"name": "quick", "location": "/", "service": "app", "timeouts": {"response": "200ms"}}],
        {"app": upstream(script)}))
    assert proxy.get("/").reason == "response_timeout"


# Paths.


def test_a_path_is_normalised_to_choose_and_forwarded_as_sent(run, upstream):
    server = upstream()
    proxy = run(gateway([{"name": "api", "location": "/api/", "service": "app"}], {"app": server}))
    for path in ("/x/../api/a", "/./api/b", "//api///c", "/%61pi/d", "/api/e%20f"):
        assert proxy.get(path).status == 200, path
        assert server.requests[-1].target == path


def test_a_path_cannot_climb_into_another_route(run, upstream):
    server = upstream()
    proxy = run(gateway([
        says("refused", location="/admin/"),
        {"name": "public", "location": "/public/", "service": "app"}], {"app": server}))
    assert taken(proxy, "/public/../admin/x") == "refused"
    assert taken(proxy, "/public/x/..//../admin/x") in ("refused", "bad_request")
    assert server.requests == []


@pytest.mark.parametrize("path", [
    "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a%00b", "/%2e%2e/a", "/a/%2E%2e/b", "/a/.%2e/b", "/..", "/../a", "/%2e/a",
    "/a/..;/b", "/a/..%2fb", "/%zz", "/%4", "/a#b", "/a%0d%0ab",
])
def test_forms_an_endpoint_could_read_differently_are_refused(run, upstream, path):
    server = upstream()
    proxy = run(gateway([{"name": "all", "location": "/", "service": "app"}], {"app": server}))
    answer = proxy.get(path)
    assert (answer.status, answer.reason) == (400, "bad_request"), path
    assert server.connections == 0


def test_encoded_slashes_and_backslashes_pass_when_allowed(run, upstream):
    server = upstream()
    proxy = run(gateway([{"name": "all", "location": "/", "service": "app"}], {"app": server},
                        listener={"path": {"allow_encoded_slash": True, "allow_backslash": True}}))
    for path in ("/a%2fb", "/a\\b"):
        assert proxy.get(path).status == 200
        assert server.requests[-1].target == path


def test_the_query_is_left_alone(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    target = "/p?a=%2f..%00&b=//&c=\\"
    assert proxy.get(target).status == 200
    assert server.requests[0].target == target


# Listeners.


def test_a_listener_bound_to_a_service_consults_no_route(run, upstream):
    one, two = upstream(), upstream()
    port = free_port()
    configuration = gateway([says("route")], {"one": one, "two": two})
    configuration["listeners"].append({"name": "two-local", "address": f"127.0.0.1:{port}", "service": "two"})
    proxy = run(configuration)
    assert taken(proxy, "/x") == "route"
    assert proxy.request("GET", "/x", listener="two-local").body == b"ok\n"
    assert (len(one.requests), len(two.requests)) == (0, 1)


def test_a_route_may_belong_to_one_listener_only(run):
    port = free_port()
    configuration = gateway([says("web-only", listeners=["web"]), says("other-only", listeners=["other"])])
    configuration["listeners"].append({"name": "other", "address": f"127.0.0.1:{port}"})
    proxy = run(configuration)
    assert taken(proxy) == "web-only"
    assert proxy.request("GET", "/", listener="other").body == b"other-only"


def test_ten_thousand_routes_are_told_apart(run):
    routes = [says(f"r{i}", location=f"/service-{i}/") for i in range(10_000)]
    proxy = run(gateway(routes))
    with proxy.client() as client:
        for i in (0, 1, 4999, 9998, 9999):
            assert client.get(f"/service-{i}/x").body == f"r{i}".encode()
        assert client.get("/service-10000/x").reason == "no_route"
