import ArgumentParser
import Config
import Proxy

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check configuration files: every problem of each, as FILE:LINE:COLUMN: MESSAGE.",
        discussion: "Exits with 0 when all are good, with 78 otherwise.")

    @Argument(help: "Configuration or services files, YAML or JSON.")
    var files: [String]

    func run() throws {
        var isGood = true
        for file in files {
            do throws(ConfigError) {
                let configuration = try LoadedConfiguration.load(file)
                try TLSFiles.check(configuration)
                print(
                    "\(file): ok: \(configuration.listeners.count) listeners, \(configuration.services.count) services, "
                        + "\(configuration.routes.count) routes")
            } catch {
                isGood = false
                for diagnostic in error.diagnostics { complain(diagnostic.description) }
            }
        }
        if !isGood { throw ExitCode.badConfiguration }
    }
}
