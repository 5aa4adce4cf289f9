import ArgumentParser
import Proxy

/// The program: one sub-command per file.
@main
struct Sidecar: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidecar", abstract: "A sidecar proxy for containers.", version: Version.current,
        subcommands: [Run.self, Check.self, Wait.self, HealthCheck.self, Drain.self, Quit.self])
}
