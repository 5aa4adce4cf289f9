/// Loads `sidecar.yaml`, the services file it names, the environment and the flags into one validated `Configuration`, or
/// says everything that is wrong with all of them.
///
/// Precedence: flag, then environment, then file, then default. Blocks while reading; not for a worker.
package struct ConfigurationLoader {
    package typealias FileReader = (_ path: String, _ bytesMax: Int) throws(FileProblem) -> [UInt8]

    /// By variable; of these the `SIDECAR_*` that `Setting` knows count, an empty one is as if unset.
    package var environment: [String: String]
    /// By flag: `--workers`, `--admin-address`, `--drain-timeout`, `--services-file`, `--log-level`.
    package var flags: [String: String]
    /// The regular expression engine's word on each pattern.
    package var regexCheck: RegexCheck
    /// How files are read.
    package var readFile: FileReader

    package init(
        environment: [String: String] = [:], flags: [String: String] = [:],
        regexCheck: @escaping RegexCheck = { _, _ in .valid(groups: 9) },
        readFile: @escaping FileReader = { (path, bytesMax) throws(FileProblem) in
            try FileContents.read(path, bytesMax: bytesMax)
        }
    ) {
        self.environment = environment
        self.flags = flags
        self.regexCheck = regexCheck
        self.readFile = readFile
    }

    /// The environment's variables that `environment` is asked for.
    package static var variables: [String] { Setting.all.map(\.variable) }

    /// The configuration of the file at `path`, which may also be a services file alone.
    package func load(path: String) throws(ConfigError) -> Configuration {
        let context = DecodingContext(file: path, regexCheck: regexCheck)
        var configuration = Configuration()
        var unknown: Set<DecodingContext.NameKind> = []
        if let document = document(path, named: nil, context) {
            MappingDecoder.decode(document, "the configuration", context) { configuration.decode(&$0) }
        } else {
            unknown = [.listener, .service, .route]
        }
        applySettings(to: &configuration, context)
        if let named = configuration.servicesFile {
            let position = context.servicesFilePosition
            let services = position?.file == path ? Self.resolve(named, relativeTo: path) : named
            configuration.servicesFile = services
            context.file = services
            if let document = document(services, named: position, context) {
                MappingDecoder.decode(document, "the services file", context) { configuration.decodeServed(&$0) }
            } else {
                unknown.formUnion([.service, .route])
            }
        }
        // A services file alone knows no listeners; then the names of them cannot be checked.
        if configuration.listeners.isEmpty { unknown.insert(.listener) }
        context.resolveReferences(except: unknown)
        context.checkAdminAddress(configuration.admin.address)
        var listenerServices: [String: String] = [:]
        for listener in configuration.listeners { listenerServices[listener.name] = listener.service }
        context.checkRoutedListeners(listenerServices)
        context.checkProtocols(configuration)
        guard context.diagnostics.isEmpty else { throw ConfigError(context.diagnostics.sorted) }
        return configuration
    }

    /// Where a file named in the file at `path` lies.
    package static func resolve(_ file: String, relativeTo path: String) -> String {
        guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
        return path[...slash] + file
    }

    /// The tree of a file; nil when there is none, which is then reported.
    private func document(_ path: String, named: SourcePosition?, _ context: DecodingContext) -> Node? {
        do throws(FileProblem) {
            let bytes = try readFile(path, SourceText.bytesMax)
            return Self.parse(bytes, context)
        } catch {
            let place = named.map { ", the services file of \($0)" } ?? ""
            context.report(.none, error.message + place)
            return nil
        }
    }

    private static func parse(_ bytes: [UInt8], _ context: DecodingContext) -> Node? {
        var reader = NodeReader()
        defer {
            for problem in reader.problems { context.report(problem.mark, problem.message) }
        }
        do throws(SyntaxProblem) {
            if let node = try reader.read(bytes) { return node }
            context.report(.none, "the file is empty")
        } catch {
            context.report(error.mark, error.message)
        }
        return nil
    }

    private func applySettings(to configuration: inout Configuration, _ context: DecodingContext) {
        for setting in Setting.all {
            let given = [(setting.variable, environment[setting.variable]), (setting.flag, flags[setting.flag])]
            for (name, value) in given {
                guard let value, !value.isEmpty else { continue }
                context.file = name
                MappingDecoder.decode(Node(.mapping(setting.entries(value)), at: .none), name, context) {
                    configuration.decode(&$0)
                }
            }
        }
    }
}
