import ArgumentParser
import Config
import Proxy

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the proxy.")

    @Option(help: "The configuration file, YAML or JSON.")
    var config = "/etc/sidecar/sidecar.yaml"

    @Option(help: "Address of the admin port, instead of admin.address.")
    var adminAddress: String?

    @Option(help: "Worker threads, or auto.")
    var workers: String?

    @Option(help: "debug, info, warning or error.")
    var logLevel: String?

    @Option(help: "How long running exchanges may take to finish after SIGTERM.")
    var drainTimeout: String?

    @Option(help: "The services file, instead of services_file.")
    var servicesFile: String?

    private var flags: [String: String] {
        var flags: [String: String] = [:]
        flags["--admin-address"] = adminAddress
        flags["--workers"] = workers
        flags["--log-level"] = logLevel
        flags["--drain-timeout"] = drainTimeout
        flags["--services-file"] = servicesFile
        return flags
    }

    func run() throws {
        let configuration: Configuration
        do throws(ConfigError) {
            configuration = try LoadedConfiguration.load(config, flags: flags)
        } catch {
            for diagnostic in error.diagnostics { complain(diagnostic.description) }
            throw ExitCode.badConfiguration
        }
        let server: Server
        do throws(Server.StartError) {
            server = try Server(configuration, path: config)
        } catch {
            complain(error.description)
            switch error {
            case .badRoutes, .badTLS: throw ExitCode.badConfiguration
            case .addressInUse: throw ExitCode.portInUse
            case .system: throw ExitCode.failure
            }
        }
        throw ExitCode(server.run())
    }
}
