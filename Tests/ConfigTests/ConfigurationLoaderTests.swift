import Core
import Glibc
import Testing

@testable import Config

/// Two files, the environment and the flags together.
@Suite struct ConfigurationLoaderTests {
    private let web = "listeners: [{name: web, address: \"127.0.0.1:8000\"}]\n"

    @Test func allProblemsOfBothFilesAreReportedAtOnce() {
        let main = "wokers: 1\nservices_file: s.yaml\ndrain_timeout: 30\nroutes: [{name: r, service: nome}]\n"
        let services = "services:\n  - {name: name, endpoints: [x]}\n  - {nme: b}\n"
        #expect(
            problems(main, services: services) == [
                "a.yaml:1:1: unknown key 'wokers' (did you mean 'workers'?)",
                "a.yaml:3:16: drain_timeout: 30 has no unit: write 30s",
                "a.yaml:4:29: no service is named 'nome' (did you mean 'name'?)",
                "s.yaml:2:30: address: expected host:port, ip:port, [v6]:port or unix:/path, found 'x'",
                "s.yaml:3:5: a service needs 'endpoints'",
                "s.yaml:3:5: a service needs 'name'",
                "s.yaml:3:6: unknown key 'nme' (did you mean 'name'?)",
            ])
    }

    @Test func theListsOfBothFilesAreOne() throws {
        let main =
            web + "services_file: s.yaml\nservices: [{name: a, endpoints: []}]\nroutes: [{name: r, service: b}]\n"
        let services = "services: [{name: b, endpoints: [\"h:1\"]}]\nroutes: [{name: s, location: /s, service: a}]\n"
        let configuration = try load(main, services: services)
        #expect(configuration.services.map(\.name) == ["a", "b"])
        #expect(configuration.services.map(\.source) == ["a.yaml:3", "s.yaml:1"])
        #expect(configuration.routes.map(\.name) == ["r", "s"])
        #expect(configuration.servicesFile == "s.yaml")
    }

    @Test func aClashNamesBothPlaces() {
        let main = "services_file: s.yaml\nservices: [{name: a, endpoints: []}]\nroutes: [{name: r, service: a}]\n"
        let services = "services: [{name: a, endpoints: []}]\nroutes: [{name: r, location: /x, service: a}]\n"
        #expect(
            problems(main, services: services) == [
                "s.yaml:1:19: service 'a' is already defined at a.yaml:2",
                "s.yaml:2:17: route 'r' is already defined at a.yaml:3",
            ])
    }

    @Test func theServicesFileHoldsServicesAndRoutesOnly() {
        #expect(
            problems("services_file: s.yaml", services: "listeners: []\n") == [
                "s.yaml:1:1: unknown key 'listeners': the services file takes services, routes"
            ])
    }

    @Test func aMissingServicesFileIsReportedWithWhoNamesIt() {
        #expect(
            problems("services_file: s.yaml\nroutes: [{name: r, service: somewhere}]\n") == [
                "s.yaml: cannot be read: there is no such file, the services file of a.yaml:1:16"
            ])
    }

    @Test func unreadableReferencesAreNotReportedOnTop() {
        let main = "services_file: s.yaml\nroutes: [{name: r, service: somewhere}]\n"
        #expect(problems(main, services: "services: [\n").count == 1)
        #expect(problems("routes: [\n", environment: ["SIDECAR_SERVICES_FILE": "s.yaml"], flags: [:]).count == 2)
    }

    @Test func anEmptyFileIsAProblem() {
        #expect(problems("") == ["a.yaml: the file is empty"])
        #expect(problems("services_file: s.yaml", services: "# later\n") == ["s.yaml: the file is empty"])
    }

    @Test func servicesFilesLieBesideTheFileThatNamesThem() {
        #expect(ConfigurationLoader.resolve("s.yaml", relativeTo: "/etc/sidecar/a.yaml") == "/etc/sidecar/s.yaml")
        #expect(ConfigurationLoader.resolve("s.yaml", relativeTo: "a.yaml") == "s.yaml")
        #expect(ConfigurationLoader.resolve("../s.yaml", relativeTo: "x/a.yaml") == "x/../s.yaml")
        #expect(ConfigurationLoader.resolve("/run/s.yaml", relativeTo: "/etc/a.yaml") == "/run/s.yaml")
    }

    @Test func aServicesFileAloneIsChecked() {
        #expect(
            problems("services: [{name: a, endpoints: []}]\nroutes: [{name: r, listeners: [web], service: a}]\n") == [])
    }

    @Test func theEnvironmentOverridesTheFileAndFlagsOverrideBoth() throws {
        let file = web + "workers: 1\nlog_level: debug\nadmin: {address: \"127.0.0.1:1\"}\ndrain_timeout: 1s\n"
        let environment = [
            "SIDECAR_WORKERS": "2", "SIDECAR_LOG_LEVEL": "error", "SIDECAR_ADMIN_ADDRESS": "127.0.0.1:2",
            "SIDECAR_DRAIN_TIMEOUT": "2s", "SIDECAR_UNKNOWN": "x",
        ]
        let byEnvironment = try load(file, environment: environment)
        #expect(byEnvironment.workers == .count(2))
        #expect(byEnvironment.logLevel == .error)
        #expect(byEnvironment.admin.address.port == 2)
        #expect(byEnvironment.drainTimeout == .seconds(2))
        let byFlag = try load(
            file, environment: environment,
            flags: [
                "--workers": "auto", "--log-level": "info", "--admin-address": "[::1]:3", "--drain-timeout": "3s",
            ])
        #expect(byFlag.workers == .auto)
        #expect(byFlag.logLevel == .info)
        #expect(byFlag.admin.address == .ip(.loopbackV6, port: 3))
        #expect(byFlag.drainTimeout == .seconds(3))
        #expect(try load(file, environment: ["SIDECAR_WORKERS": ""]).workers == .count(1))
    }

    @Test func theServicesFileCanComeFromTheEnvironment() throws {
        let services = "services: [{name: a, endpoints: []}]\n"
        let file = web + "services_file: elsewhere.yaml\n"
        let configuration = try load(file, services: services, environment: ["SIDECAR_SERVICES_FILE": "s.yaml"])
        #expect(configuration.services.map(\.name) == ["a"])
    }

    @Test func badVariablesAndFlagsAreNamed() {
        #expect(
            problems(
                web, environment: ["SIDECAR_WORKERS": "x", "SIDECAR_DRAIN_TIMEOUT": "5"], flags: ["--log-level": "inf"])
                == [
                    "SIDECAR_WORKERS: workers (or auto): expected a whole number, 1 to 64, found 'x'",
                    "SIDECAR_DRAIN_TIMEOUT: drain_timeout: 5 has no unit: write 5s",
                    "--log-level: log_level: expected debug, info, warning or error, found 'inf' (did you mean 'info'?)",
                ])
    }

    @Test func twoListenersCannotShareAnAddress() {
        let text = """
            listeners:
              - {name: a, address: "127.0.0.1:80"}
              - {name: b, address: "127.0.0.1:80"}
              - {name: c, address: "127.0.0.1:0"}
              - {name: d, address: "127.0.0.1:0"}
              - {name: a, address: "127.0.0.1:81"}
              - {name: e, address: "0.0.0.0:15020"}
            """
        #expect(
            problems(text) == [
                "a.yaml:3:24: address 127.0.0.1:80 is already taken by the listener at a.yaml:2",
                "a.yaml:6:12: listener 'a' is already defined at a.yaml:2",
                "a.yaml:7:24: address 0.0.0.0:15020 is also that of the admin port, by default",
            ])
    }

    @Test func routesCannotNameAListenerOfOneService() {
        let text = """
            listeners: [{name: a, address: "127.0.0.1:80", service: s}]
            services: [{name: s, endpoints: []}]
            routes: [{name: r, listeners: [a], service: s}]
            """
        #expect(problems(text) == ["a.yaml:3:32: listener 'a' sends everything to service 's' and asks no route"])
    }

    @Test func routesWithTheSameConditionsAreRefused() {
        let text = """
            services: [{name: s, endpoints: []}]
            routes:
              - {name: a, hosts: [x, y], methods: [GET, PUT], headers: {A: b, C: d}, service: s}
              - {name: b, hosts: [Y, X], methods: [PUT, GET], headers: {c: d, a: b}, service: s}
              - {name: c, hosts: [x, y], methods: [GET, PUT], headers: {A: b, C: e}, service: s}
              - {name: d, location: /, service: s}
              - {name: e, respond: {}}
              - {name: f, location: = /, service: s}
            """
        #expect(
            problems(text) == [
                "a.yaml:4:5: route 'b' has the very conditions of 'a' at a.yaml:3: it would never be taken",
                "a.yaml:7:5: route 'e' has the very conditions of 'd' at a.yaml:6: it would never be taken",
            ])
    }

    @Test func aProblemOfAnAliasedNodeIsReportedOnce() {
        let text = """
            services: [{name: s, endpoints: []}]
            routes:
              - {name: a, location: /a, service: s, timeouts: &t {response: 5}}
              - {name: b, location: /b, service: s, timeouts: *t}
            """
        #expect(problems(text) == ["a.yaml:3:65: response: 5 has no unit: write 5s"])
    }

    @Test func endlessProblemsAreCounted() {
        let found = problems("services:\n" + String(repeating: "- {name: \"?\"}\n", count: 5000))
        #expect(found.count == Diagnostics.limit + 1)
        #expect(found.last == "a.yaml: 9000 more problems are not listed")
    }

    @Test func aThousandWrongReferencesAreReportedSoon() {
        var text = "services:\n"
        for index in 0..<1000 { text += "- {name: service-number-\(index), endpoints: []}\n" }
        text += "routes:\n"
        for index in 0..<1000 { text += "- {name: r\(index), location: /\(index), service: servce-number-\(index)}\n" }
        let found = problems(text)
        #expect(found.count == 1000)
        #expect(found[0].hasSuffix("(did you mean 'service-number-0'?)"))
    }

    @Test func filesAreReadWholeAndFailuresSayWhy() throws {
        let directory = "/tmp/sidecar-config-tests-\(getpid())"
        let file = "\(directory)/a.yaml"
        let text = "# \(String(repeating: "x", count: 200_000))\nworkers: 3\n"
        // SAFETY: every path and text is passed as a NUL-terminated copy that lives for its call.
        unsafe mkdir(directory, 0o700)
        defer {
            unsafe unlink(file)
            unsafe rmdir(directory)
        }
        let descriptor = unsafe open(file, O_CREAT | O_WRONLY, 0o600)
        #expect(unsafe write(descriptor, text, text.utf8.count) == text.utf8.count)
        close(descriptor)
        #expect(try ConfigurationLoader().load(path: file).workers == .count(3))
        func message(_ path: String) -> String? {
            do throws(ConfigError) {
                _ = try ConfigurationLoader().load(path: path)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(message("\(directory)/none") == "\(directory)/none: cannot be read: there is no such file")
        #expect(message(directory) == "\(directory): cannot be read: it is a directory")
        #expect(message("/dev/zero") == "/dev/zero: the file is larger than 16MiB")
    }
}
