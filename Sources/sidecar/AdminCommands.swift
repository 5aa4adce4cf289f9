import ArgumentParser
import Config
import Proxy

/// Where a running sidecar's admin port is.
struct AdminOptions: ParsableArguments {
    @Option(help: "Address of the admin port: host-ip:port, or only the port on this host.")
    var admin = "127.0.0.1:15020"

    /// Asks and waits at most `timeoutMs` for the answer; nil when there is none.
    func ask(_ method: StaticString, _ path: String, timeoutMs: Int) throws -> AdminClient.Answer? {
        guard let address = AdminClient.address(admin) else {
            throw ValidationError("--admin \(admin): not an address; write ip:port")
        }
        return try? AdminClient.ask(method, path, at: address, timeout: .milliseconds(timeoutMs))
    }
}

/// A span of time as the configuration writes it.
struct TimeSpan: ExpressibleByArgument {
    let milliseconds: Int

    init?(argument: String) {
        guard let duration = try? DurationText.parse(argument) else { return nil }
        milliseconds = Int(duration / .milliseconds(1))
    }

    init(seconds: Int) { milliseconds = seconds * 1000 }

    var defaultValueDescription: String { "\(milliseconds / 1000)s" }
}

struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until the sidecar is ready.",
        discussion: "Exits with 0 when it is, with 1 when the time is over.")

    @OptionGroup var options: AdminOptions

    @Option(help: "How long to wait at most.")
    var timeout = TimeSpan(seconds: 30)

    func run() throws {
        var last = "no answer"
        let isReady = try AdminClient.poll(timeoutMs: timeout.milliseconds) {
            let answer = try options.ask("GET", "/readyz?verbose", timeoutMs: 1000)
            if let answer { last = answer.body }
            return answer?.status == 200
        }
        guard isReady else {
            complain("not ready after \(timeout.defaultValueDescription): \(last)")
            throw ExitCode.failure
        }
    }
}

struct HealthCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Ask whether the sidecar is alive.",
        discussion: "Exits with 0 when it is, with 1 otherwise: for HEALTHCHECK in images without curl.")

    @OptionGroup var options: AdminOptions

    @Flag(help: "Ask whether it is ready for traffic instead.")
    var ready = false

    func run() throws {
        let answer = try options.ask("GET", ready ? "/readyz" : "/livez", timeoutMs: 2000)
        guard answer?.status == 200 else {
            complain(answer.map { "\($0.status) \($0.body)" } ?? "no answer from \(options.admin)")
            throw ExitCode.failure
        }
    }
}

struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the sidecar stop accepting and finish what runs; the process stays.")

    @OptionGroup var options: AdminOptions

    func run() throws { try post("/drain", options) }
}

struct Quit: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Have the sidecar drain and end.")

    @OptionGroup var options: AdminOptions

    func run() throws { try post("/quitquitquit", options) }
}

private func post(_ path: String, _ options: AdminOptions) throws {
    let answer = try options.ask("POST", path, timeoutMs: 5000)
    guard answer?.status == 200 else {
        complain(answer.map { "\($0.status) \($0.body)" } ?? "no answer from \(options.admin)")
        throw ExitCode.failure
    }
}
