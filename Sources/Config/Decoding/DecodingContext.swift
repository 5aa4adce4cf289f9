import Core

/// What decoding one configuration gathers beside its values: problems, the names that were defined, and the references
/// that must resolve once both files are read.
///
/// Owned by one load on one thread; the decoders of its mappings share it.
package final class DecodingContext {
    /// What has a name of its own. The raw value is the word for it in messages.
    package enum NameKind: String { case listener, service, route }

    /// A name that was used, to be resolved at the end.
    struct Reference {
        let kind: NameKind
        let name: String
        let position: SourcePosition
    }

    /// The file that is being decoded, or the variable.
    package var file: String { didSet { diagnostics.noteFile(file) } }
    package var diagnostics = Diagnostics()
    package let regexCheck: RegexCheck
    /// The keys asked for so far in the mappings being decoded, innermost last.
    var knownKeys: [String] = []
    private(set) var references: [Reference] = []
    private var names: [NameKind: [String: SourcePosition]] = [:]
    private var listenerAddresses: [SocketAddress: SourcePosition] = [:]
    private var routes: [RouteConditions: (name: String, position: SourcePosition)] = [:]
    /// All listeners and routes as they were written, in the configuration's order.
    private(set) var listenerMappings: [WrittenMapping] = []
    private(set) var routeMappings: [WrittenMapping] = []
    /// Where the admin port's address is given, if it is.
    var adminPosition: SourcePosition?
    /// Where the services file is named, if it is.
    var servicesFilePosition: SourcePosition?
    /// Comparisons that suggestions may still make: a thousand wrong references to a thousand services must not take long.
    private var comparisonsLeft = 200_000

    package init(file: String, regexCheck: @escaping RegexCheck) {
        self.file = file
        self.regexCheck = regexCheck
        diagnostics.noteFile(file)
    }

    package func position(_ mark: Mark) -> SourcePosition {
        SourcePosition(file: file, line: Int(mark.line), column: Int(mark.column))
    }

    package func report(
        _ mark: Mark, _ message: @autoclosure () -> String, suggestion: @autoclosure () -> String? = nil
    ) {
        diagnostics.add(position(mark), message(), suggestion: suggestion())
    }

    /// Notes that `name` is defined at `mark`; a second definition is a problem that names the first.
    func define(_ kind: NameKind, _ name: String, at mark: Mark) {
        if let first = names[kind, default: [:]].updateValue(position(mark), forKey: name) {
            names[kind]?[name] = first
            report(mark, "\(kind.rawValue) '\(name)' is already defined at \(first.lineDescription)")
        }
    }

    /// Reports routes that name a listener which sends everything to one service: `services` by listener.
    func checkRoutedListeners(_ services: [String: String]) {
        for reference in references where reference.kind == .listener {
            guard let service = services[reference.name] else { continue }
            diagnostics.add(
                reference.position,
                "listener '\(reference.name)' sends everything to service '\(Node.excerpt(service))' and asks no route")
        }
    }

    /// Keeps what a listener or route says; nothing when it is no mapping.
    func keep(_ kind: NameKind, _ node: Node) {
        let entries: [Node.Entry] = if case .mapping(let entries) = node.content { entries } else { [] }
        let mapping = WrittenMapping(entries: entries, file: file)
        if kind == .listener { listenerMappings.append(mapping) } else { routeMappings.append(mapping) }
    }

    /// Notes a listener's address; no two listeners have one, but for ports that the kernel chooses.
    func defineListenerAddress(_ address: SocketAddress, at mark: Mark) {
        guard address.port != 0 else { return }
        if let first = listenerAddresses[address] {
            report(mark, "address \(address) is already taken by the listener at \(first.lineDescription)")
        } else {
            listenerAddresses[address] = position(mark)
        }
    }

    /// Notes a route's conditions; of two routes with the same ones the second would never be taken.
    func defineRoute(_ conditions: RouteConditions, _ name: String, at mark: Mark) {
        if let first = routes[conditions] {
            report(
                mark,
                "route '\(name)' has the very conditions of '\(first.name)' at \(first.position.lineDescription): "
                    + "it would never be taken")
        } else {
            routes[conditions] = (name, position(mark))
        }
    }

    /// Reports the admin port's address when a listener has it too.
    func checkAdminAddress(_ address: SocketAddress) {
        guard let listener = listenerAddresses[address] else { return }
        let admin = adminPosition.map { "the admin port at \($0.lineDescription)" } ?? "the admin port, by default"
        diagnostics.add(listener, "address \(address) is also that of \(admin)")
    }

    func refer(to kind: NameKind, _ name: String, at mark: Mark) {
        references.append(Reference(kind: kind, name: name, position: position(mark)))
    }

    /// Reports references to what is not defined, but for kinds that may be defined in what could not be read.
    func resolveReferences(except unknown: Set<NameKind>) {
        for reference in references where !unknown.contains(reference.kind) {
            let defined = names[reference.kind] ?? [:]
            guard defined[reference.name] == nil else { continue }
            diagnostics.add(
                reference.position, "no \(reference.kind.rawValue) is named '\(Node.excerpt(reference.name))'",
                suggestion: nearest(to: reference.name, among: defined.keys.sorted()))
        }
    }

    /// A suggestion, as long as there is time for one.
    func nearest(to word: String, among candidates: [String]) -> String? {
        guard comparisonsLeft > 0 else { return nil }
        comparisonsLeft -= candidates.count
        return Suggestion.nearest(to: word, among: candidates)
    }
}
