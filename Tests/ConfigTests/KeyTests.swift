import Testing

@testable import Config

/// Every key refuses what it cannot mean, at the line and column of the mistake.
@Suite struct KeyTests {
    @Test(arguments: [
        ("workers: ▸0", "workers (or auto): must be 1 to 64, found 0"),
        ("workers: ▸65", "workers (or auto): must be 1 to 64, found 65"),
        ("workers: ▸many", "workers (or auto): expected a whole number, 1 to 64, found 'many'"),
        ("workers: ▸\"2\"", "workers (or auto): expected a whole number, 1 to 64, found the string \"2\""),
        ("workers: ▸02", "workers (or auto): expected a whole number, 1 to 64, found '02'"),
        ("workers: ▸[]", "workers (or auto): expected a whole number, 1 to 64, found a list"),
        ("admin: ▸0.0.0.0:15020", "admin: expected a mapping, found '0.0.0.0:15020'"),
        (
            "admin: {address: ▸15020}",
            "address: expected ip:port, [v6]:port or unix:/path, found '15020' (did you mean '0.0.0.0:15020'?)"
        ),
        ("admin: {▸adress: \"[::]:1\"}", "unknown key 'adress' (did you mean 'address'?)"),
        ("drain_timeout: ▸30", "drain_timeout: 30 has no unit: write 30s"),
        ("drain_timeout: ▸2h", "drain_timeout: must be 0s to 1h, found 2h"),
        (
            "drain_timeout: ▸8 s",
            "drain_timeout: '8 s' is no duration: units are ms, s, m and h (did you mean '8s'?)"
        ),
        ("drain_timeout:▸", "drain_timeout: expected a duration such as 30s, found nothing"),
        ("services_file: ▸[]", "services_file: expected a file, found a list"),
        ("services_file: ▸''", "services_file: expected a file, found nothing"),
        ("access_log: ▸stdout", "access_log: expected a mapping, found 'stdout'"),
        ("access_log: {path: ▸''}", "path: expected stdout, stderr or a file, found nothing"),
        ("access_log: {path: ▸[a]}", "path: expected stdout, stderr or a file, found a list"),
        ("access_log: {format: ▸jsn}", "format: expected json or text, found 'jsn' (did you mean 'json'?)"),
        ("access_log: {buffer: ▸65536}", "buffer: 65536 has no unit: write 64KiB"),
        ("access_log: {buffer: ▸1KiB}", "buffer: must be 4KiB to 1GiB, found 1KiB"),
        (
            "access_log: {buffer: ▸64KB}",
            "buffer: '64KB' is no size: units are B, KiB, MiB and GiB (did you mean '64KiB'?)"
        ),
        (
            "log_level: ▸warn",
            "log_level: expected debug, info, warning or error, found 'warn' (did you mean 'warning'?)"
        ),
        (
            "log_level: ▸warnin",
            "log_level: expected debug, info, warning or error, found 'warnin' (did you mean 'warning'?)"
        ),
        ("dns: {servers: ▸10.0.0.1}", "servers: expected a list, found '10.0.0.1': write [10.0.0.1]"),
        ("dns: {servers: [▸dns.local]}", "servers: expected ip, ip:port or [v6]:port, found 'dns.local'"),
        ("dns: {servers: [▸\"10.0.0.1:0\"]}", "servers: expected ip, ip:port or [v6]:port, found '10.0.0.1:0'"),
        ("dns: {timeout: ▸61s}", "timeout: must be 100ms to 1m, found 61s"),
        ("metrics: {series_max: ▸15}", "series_max: must be 16 to 1000000, found 15"),
        (
            "metrics: {series_max: ▸99999999999999999999}",
            "series_max: must be 16 to 1000000, found 99999999999999999999"
        ),
        ("connections_max: ▸-1", "connections_max: must be 1 to 1000000, found -1"),
        ("connections_max: ▸1e3", "connections_max: expected a whole number, 1 to 1000000, found '1e3'"),
        ("▸listner: []", "unknown key 'listner' (did you mean 'listeners'?)"),
        ("listeners: ▸{}", "listeners: expected a list, found a mapping"),
        ("services:▸", "services: expected a list, found nothing"),
        ("▸- a", "the configuration: expected a mapping, found a list"),
        ("▸just text", "the configuration: expected a mapping, found 'just text'"),
    ])
    func theProcessKeysAreChecked(text: String, problem: String) {
        let (text, problem) = marked(text, problem)
        #expect(problems(text) == [problem])
    }

    @Test(arguments: [
        ("▸{address: \"1.2.3.4:80\"}", "a listener needs 'name'"),
        ("▸{name: a}", "a listener needs 'address'"),
        ("▸web", "a listener: expected a mapping, found 'web'"),
        (
            "{name: ▸a b, address: \"1.2.3.4:80\"}",
            "a listener's name is 1 to 128 letters, digits, '_', '.' and '-', found 'a b'"
        ),
        ("{name: a, address: ▸\"web:80\"}", "address: expected ip:port, [v6]:port or unix:/path, found 'web:80'"),
        (
            "{name: a, address: ▸\"localhost:80\"}",
            "address: expected ip:port, [v6]:port or unix:/path, found 'localhost:80' (did you mean '127.0.0.1:80'?)"
        ),
        (
            "{name: a, address: ▸\"::1:80\"}",
            "address: expected ip:port, [v6]:port or unix:/path, found '::1:80' (did you mean '[::1]:80'?)"
        ),
        (
            "{name: a, address: ▸\":80\"}",
            "address: expected ip:port, [v6]:port or unix:/path, found ':80' (did you mean '0.0.0.0:80'?)"
        ),
        (
            "{name: a, address: ▸/run/a.sock}",
            "address: expected ip:port, [v6]:port or unix:/path, found '/run/a.sock' (did you mean 'unix:/run/a.sock'?)"
        ),
        (
            "{name: a, address: ▸\"unix:run/a.sock\"}",
            "address: expected ip:port, [v6]:port or unix:/path, found 'unix:run/a.sock'"
        ),
        (
            "{name: a, address: ▸\"1.2.3.4:65536\"}",
            "address: expected ip:port, [v6]:port or unix:/path, found '1.2.3.4:65536'"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", mode: ▸gatway}",
            "mode: expected gateway, found 'gatway' (did you mean 'gateway'?)"
        ),
        ("{name: a, address: \"1.2.3.4:80\", mode: ▸outbound}", "mode: expected gateway, found 'outbound'"),
        (
            "{name: a, address: \"1.2.3.4:80\", protocol: ▸htp}",
            "protocol: expected auto, http or tls_passthrough, found 'htp' (did you mean 'http'?)"
        ),
        ("{name: a, address: \"1.2.3.4:80\", service: ▸[a]}", "service: expected a service's name, found a list"),
        (
            "{name: a, address: \"1.2.3.4:80\", service: ▸ordrs}",
            "no service is named 'ordrs' (did you mean 'orders'?)"
        ),
        ("{name: a, address: \"1.2.3.4:80\", limits: {head: ▸2MiB}}", "head: must be 1KiB to 1MiB, found 2MiB"),
        (
            "{name: a, address: \"1.2.3.4:80\", limits: {request_line: ▸10B}}",
            "request_line: must be 256B to 1MiB, found 10B"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", limits: ▸{request_line: 64KiB, head: 8KiB}}",
            "limits: request_line, 64KiB, is part of head, 8KiB: it cannot be more"
        ),
        ("{name: a, address: \"1.2.3.4:80\", limits: {fields: ▸0}}", "fields: must be 1 to 4096, found 0"),
        (
            "{name: a, address: \"1.2.3.4:80\", limits: {body: ▸none}}",
            "body: expected a size such as 64KiB, found 'none'"
        ),
        ("{name: a, address: \"1.2.3.4:80\", timeouts: {head: ▸0s}}", "head: must be 1ms to 24h, found 0s"),
        (
            "{name: a, address: \"1.2.3.4:80\", timeouts: {keep_alive: ▸25h}}",
            "keep_alive: must be 1ms to 24h, found 25h"
        ),
        ("{name: a, address: \"1.2.3.4:80\", timeouts: {idle: ▸5}}", "idle: 5 has no unit: write 5s"),
        (
            "{name: a, address: \"1.2.3.4:80\", timeouts: {▸keepalive: 5s}}",
            "unknown key 'keepalive' (did you mean 'keep_alive'?)"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", forwarded: {trusted_proxies: [▸10.0.0.1/8]}}",
            "trusted_proxies: bits beyond the first 8 of '10.0.0.1/8' must be zero"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", forwarded: {trusted_proxies: [▸lan]}}",
            "trusted_proxies: expected an address or a network such as 10.0.0.0/8, found 'lan'"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", forwarded: {x_forwarded: ▸yes}}",
            "x_forwarded: expected true or false, found 'yes'"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", forwarded: {forwarded: ▸\"true\"}}",
            "forwarded: expected true or false, found the string \"true\""
        ),
        ("{name: a, address: \"1.2.3.4:80\", forwarded: {via: ▸1}}", "via: expected true or false, found '1'"),
        (
            "{name: a, address: \"1.2.3.4:80\", forwarded: {request_id: ▸[]}}",
            "request_id: expected true or false, found a list"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", path: {allow_encoded_slash: ▸on}}",
            "allow_encoded_slash: expected true or false, found 'on'"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", path: {allow_backslash: ▸1}}",
            "allow_backslash: expected true or false, found '1'"
        ),
        (
            "{name: a, address: \"1.2.3.4:80\", path: {merge_slashes: ▸~}}",
            "merge_slashes: expected true or false, found nothing"
        ),
        ("{name: a, address: \"1.2.3.4:80\", requests_max: ▸0}", "requests_max: must be 1 to 4294967295, found 0"),
        ("{name: a, address: \"1.2.3.4:80\", backlog: ▸65536}", "backlog: must be 1 to 65535, found 65536"),
        (
            "{name: a, address: \"1.2.3.4:80\", ▸wrkrs: 1}",
            "unknown key 'wrkrs': a listener takes name, address, mode, protocol, service, limits, timeouts, "
                + "tls, http2, forwarded, path, requests_max, backlog"
        ),
    ])
    func listenersAreChecked(listener: String, problem: String) {
        let (text, problem) = marked(
            "services: [{name: orders, endpoints: []}]\nlisteners:\n  - \(listener)\n", problem)
        #expect(problems(text) == [problem])
    }

    @Test(arguments: [
        ("▸{endpoints: []}", "a service needs 'name'"),
        ("▸{name: a}", "a service needs 'endpoints'"),
        (
            "{name: a, endpoints: ▸\"10.0.0.1:80\"}",
            "endpoints: expected a list, found the string \"10.0.0.1:80\": write [10.0.0.1:80]"
        ),
        ("{name: a, endpoints: [], protocol: ▸udp}", "protocol: expected http, http2, grpc or tcp, found 'udp'"),
        (
            "{name: a, endpoints: [], balance: ▸round-robin}",
            "balance: expected round_robin, found 'round-robin' (did you mean 'round_robin'?)"
        ),
        (
            "{name: a, endpoints: [▸host]}",
            "address: expected host:port, ip:port, [v6]:port or unix:/path, found 'host'"
        ),
        (
            "{name: a, endpoints: [▸\"host:0\"]}",
            "address: expected host:port, ip:port, [v6]:port or unix:/path, found 'host:0'"
        ),
        ("{name: a, endpoints: [▸\"10.0.0.1:0\"]}", "address: port 0 cannot be connected to"),
        (
            "{name: a, endpoints: [▸\"10.0.0.300:80\"]}",
            "address: expected host:port, ip:port, [v6]:port or unix:/path, found '10.0.0.300:80'"
        ),
        (
            "{name: a, endpoints: [▸\"http://host:80/x\"]}",
            "address: expected host:port, ip:port, [v6]:port or unix:/path, found 'http://host:80/x' (did you mean 'host:80'?)"
        ),
        (
            "{name: a, endpoints: [▸\"8080\"]}",
            "address: expected host:port, ip:port, [v6]:port or unix:/path, found '8080' (did you mean '127.0.0.1:8080'?)"
        ),
        (
            "{name: a, endpoints: [{name: ▸\"h:2\", address: \"h:1\"}]}",
            "an endpoint's name is 1 to 128 letters, digits, '_', '.' and '-', found 'h:2'"
        ),
        ("{name: a, endpoints: [▸{name: x}]}", "an endpoint needs 'address'"),
        ("{name: a, endpoints: [{address: \"h:1\", weight: ▸0}]}", "weight: must be 1 to 1000, found 0"),
        ("{name: a, endpoints: [{address: \"h:1\", ▸weigth: 1}]}", "unknown key 'weigth' (did you mean 'weight'?)"),
        (
            "{name: a, endpoints: [\"h:1\", ▸\"h:1\"]}",
            "endpoint 'h:1' is already defined in this service, on line 2"
        ),
        (
            "{name: a, endpoints: [{name: x, address: \"h:1\"}, {name: ▸x, address: \"h:2\"}]}",
            "endpoint 'x' is already defined in this service, on line 2"
        ),
        ("{name: a, endpoints: [], timeouts: {connect: ▸0ms}}", "connect: must be 1ms to 24h, found 0ms"),
        (
            "{name: a, endpoints: [], timeouts: {response: ▸x}}",
            "response: expected a duration such as 30s, found 'x'"
        ),
        ("{name: a, endpoints: [], timeouts: {idle: ▸[]}}", "idle: expected a duration such as 30s, found a list"),
        ("{name: a, endpoints: [], pool: {idle_max: ▸-1}}", "idle_max: must be 0 to 65536, found -1"),
        ("{name: a, endpoints: [], pool: {connections_max: ▸0}}", "connections_max: must be 1 to 65536, found 0"),
        ("{name: a, endpoints: [], pool: {idle_timeout: ▸4}}", "idle_timeout: 4 has no unit: write 4s"),
        ("{name: a, endpoints: [], pool: {requests_max: ▸0}}", "requests_max: must be 1 to 4294967295, found 0"),
        ("{name: a, endpoints: [], pool: {age_max: ▸25h}}", "age_max: must be 1ms to 24h, found 25h"),
        ("{name: a, endpoints: [], limits: {head: ▸1B}}", "head: must be 1KiB to 1MiB, found 1B"),
        ("{name: a, endpoints: [], limits: {fields: ▸5000}}", "fields: must be 1 to 4096, found 5000"),
        ("{name: a, endpoints: [], limits: {▸body: 1MiB}}", "unknown key 'body': limits takes head, fields"),
    ])
    func servicesAreChecked(service: String, problem: String) {
        let (text, problem) = marked("services:\n  - \(service)\n", problem)
        #expect(problems(text) == [problem])
    }
}
