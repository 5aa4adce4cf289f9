package import Config
import Core
package import HTTP

/// All routes, compiled: finds the one that a request takes.
///
/// Built once when a configuration is loaded, immutable from then on and shared by all workers.
///
/// The rule is nginx's. The host is decided first: routes that name it, then those of the longest wildcard, of shorter
/// ones, then those for any host. Within such a group an exact location wins, then the longest prefix if it is `^~`,
/// then the first regular expression in file order, then the longest prefix. A route whose methods, fields, query or
/// listeners do not fit counts as absent in all of this, so that a request falls through to the next best location and
/// at last to the next group. Among routes of an equal location the one with more conditions wins, then file order;
/// an expression that several routes have stands where the first of them does.
package final class RouteTable: Sendable {
    /// Routes that share a host and are looked through together.
    private struct Group {
        /// The less specific group that comes next, -1 after the last.
        var next: Int32 = -1
        var root: Int32 = -1
        var patternStart: Int32 = 0
        var patternCount: Int32 = 0
        /// The longest exact location; -1 when there is none.
        var exactBytesMax = -1
    }

    /// Routes of one location, best first: a part of `candidates`.
    private struct CandidateList {
        var start: UInt32
        var count: UInt32
    }

    private struct PatternLocation {
        let pattern: Pattern
        let list: Int32
    }

    private enum HostScope {
        static let exact: UInt32 = 0
        static let wildcard: UInt32 = 1
    }

    /// In file order; what `match` returns is an index of it.
    package let routes: [CompiledRoute]

    /// Group 0 is that of any host.
    private let groups: [Group]
    private let hosts: ByteTable
    private let hasWildcards: Bool
    /// By group and path.
    private let exactLocations: ByteTable
    private let prefixes: PrefixForest
    private let patterns: [PatternLocation]
    private let lists: [CandidateList]
    private let candidates: [UInt32]
    /// By group, the routes for TLS that is passed through; -1 where there are none.
    private let passthrough: [Int32]
    private let conditions: RouteConditions

    // MARK: Matching

    /// The index of the route that a request takes, nil when none does; throws when its path is refused.
    ///
    /// - `listener`: the index of the listener it came by, in the configuration's order.
    /// - `normalizer`: that listener's.
    /// - `identity`: who sent it, where a certificate was verified.
    package func match(
        _ head: RequestHead, _ normalizer: PathNormalizer, listener: Int, scratch: RouteScratch,
        identity: ClientIdentity? = nil
    ) throws(PathError) -> Int? {
        guard let identity else { return try match(head, normalizer, listener, scratch) }
        // Not handed down from call to call: few requests have one, and few routes ask for it.
        scratch.identity = identity
        defer { scratch.identity = nil }
        return try match(head, normalizer, listener, scratch)
    }

    @inline(__always)
    private func match(
        _ head: RequestHead, _ normalizer: PathNormalizer, _ listener: Int, _ scratch: RouteScratch
    ) throws(PathError) -> Int? {
        // `OPTIONS *` and `CONNECT host:port` have no path: they are about the whole of a host.
        let hasPath = head.targetForm == .origin || head.targetForm == .absolute
        let sent = head.bytes(hasPath ? head.path : .empty)
        let normal = scratch.path
        scratch.pathIsAsSent = try normalizer.normalize(sent, into: normal) == .asSent
        return scratch.pathIsAsSent
            ? match(head, path: sent, listener: listener, scratch: scratch)
            : match(head, path: normal.readable, listener: listener, scratch: scratch)
    }

    /// The index of the route that a request takes, nil when none does.
    ///
    /// - `listener`: the index of the listener it came by, in the configuration's order.
    /// - `path`: its normalised path, see `PathNormalizer`.
    func match(_ head: RequestHead, path: Span<UInt8>, listener: Int, scratch: RouteScratch) -> Int? {
        scratch.patternFailed = false
        var group = hosts.count == 0 ? 0 : firstGroup(of: RouteHost.name(of: head.bytes(head.authority)))
        while group >= 0 {
            let route = match(head, path, listener, scratch, in: group)
            if scratch.patternFailed { return nil }
            if route >= 0 { return Int(route) }
            group = groups[Int(group)].next
        }
        return nil
    }

    /// The index of the route that TLS takes whose first message names `serverName`, nil when none does. Empty: it names
    /// none, and only routes for any host remain.
    ///
    /// - `listener`: the index of the listener it came by, one that passes TLS through.
    package func match(serverName: Span<UInt8>, listener: Int) -> Int? {
        var group = hosts.count == 0 ? 0 : firstGroup(of: RouteHost.name(of: serverName))
        while group >= 0 {
            let list = passthrough[Int(group)]
            if list >= 0 {
                let range = lists[Int(list)]
                for position in Int(range.start)..<Int(range.start + range.count) {
                    let route = Int(candidates[position])
                    if conditions.holdsListener(route, listener) { return route }
                }
            }
            group = groups[Int(group)].next
        }
        return nil
    }

    /// One pass from the end of the name: every dot ends a suffix that a wildcard may have, the beginning ends the name.
    private func firstGroup(of host: Span<UInt8>) -> Int32 {
        guard host.count <= RouteHost.bytesMax else { return 0 }
        var hash = ByteHash(scope: 0)
        var found: Int32 = 0
        var index = host.count
        while index > 0 {
            index -= 1
            let byte = ASCII.lowercased(host[index])
            if byte == UInt8(ascii: "."), index > 0, hasWildcards {
                let suffix = host.extracting((index + 1)...)
                if let group = hosts.value(
                    of: suffix, hash: hash.value, scope: HostScope.wildcard, ignoresCase: true)
                {
                    found = group
                }
            }
            hash.add(byte)
        }
        return hosts.value(of: host, hash: hash.value, scope: HostScope.exact, ignoresCase: true) ?? found
    }

    /// The best route of one group, -1 when there is none.
    private func match(
        _ head: RequestHead, _ path: Span<UInt8>, _ listener: Int, _ scratch: RouteScratch, in index: Int32
    ) -> Int32 {
        let group = groups[Int(index)]
        if path.count <= group.exactBytesMax {
            let scope = UInt32(bitPattern: index)
            if let list = exactLocations.value(of: path, hash: ByteHash.of(path, scope: scope), scope: scope) {
                let route = first(of: list, head, listener, scratch)
                if route >= 0 { return route }
            }
        }
        var best: Int32 = -1
        var node = prefixes.longest(of: path, root: group.root)
        while node >= 0 {
            let found = prefixes[node]
            best = first(of: found.value, head, listener, scratch)
            if best >= 0 { break }
            node = found.outer
        }
        if group.patternCount == 0 || (best >= 0 && conditions.beatsRegex(Int(best))) { return best }
        for position in group.patternStart..<group.patternStart + group.patternCount {
            let location = patterns[Int(position)]
            let route = first(of: location.list, head, listener, scratch)
            guard route >= 0 else { continue }
            switch location.pattern.match(path, scratch.pattern) {
            case .match: return route
            case .noMatch: continue
            case .failed:
                scratch.patternFailed = true
                return -1
            }
        }
        return best
    }

    /// The first route of a list whose conditions hold, -1 when there is none.
    @inline(__always)
    private func first(of list: Int32, _ head: RequestHead, _ listener: Int, _ scratch: RouteScratch) -> Int32 {
        let list = lists[Int(list)]
        for position in Int(list.start)..<Int(list.start + list.count) {
            let route = candidates[position]
            if conditions.hold(Int(route), head, listener: listener, scratch) { return Int32(bitPattern: route) }
        }
        return -1
    }

    // MARK: Compiling

    /// Compiles the configuration's routes; throws all that is wrong with any of them.
    package init(_ configuration: Configuration) throws(RouteTableError) {
        var compiler = RouteCompiler(configuration)
        routes = configuration.routes.map { compiler.compile($0) }
        guard compiler.problems.isEmpty else { throw RouteTableError(problems: compiler.problems) }
        conditions = compiler.conditions

        var layout = Layout(compiler)
        for (index, route) in configuration.routes.enumerated() { layout.add(route, index) }
        layout.finish()
        groups = layout.groups
        hosts = layout.hosts
        hasWildcards = layout.hasWildcards
        exactLocations = layout.exactLocations
        prefixes = layout.prefixes
        patterns = layout.patterns
        lists = layout.lists
        passthrough = layout.passthrough
        candidates = layout.candidates
    }

    /// Collects the routes of each group by location, then lays them out flat.
    private struct Layout {
        private struct Collected {
            var exact: [String: [Int]] = [:]
            var prefixes: [String: [Int]] = [:]
            var patterns: [(location: RouteConfiguration.Location, routes: [Int])] = []
            var passthrough: [Int] = []
        }

        private let compiler: RouteCompiler
        private var collected = [Collected()]
        private var named: [(host: RouteConfiguration.Host, group: Int32)] = []

        var groups: [Group] = []
        var hosts = ByteTable()
        var hasWildcards = false
        var exactLocations = ByteTable()
        var prefixes = PrefixForest()
        var patterns: [PatternLocation] = []
        var lists: [CandidateList] = []
        var candidates: [UInt32] = []
        var passthrough: [Int32] = []

        init(_ compiler: RouteCompiler) { self.compiler = compiler }

        mutating func add(_ route: RouteConfiguration, _ index: Int) {
            let members = route.hosts.isEmpty ? [0] : Set(route.hosts).map { Int(group(of: $0)) }
            for group in members {
                if compiler.isPassthrough(route) {
                    collected[group].passthrough.append(index)
                } else {
                    add(route.location, index, to: group)
                }
            }
        }

        private mutating func add(_ location: RouteConfiguration.Location, _ index: Int, to group: Int) {
            switch location {
            case .grpc: add(location.path, index, to: group)
            case .exact(let path): collected[group].exact[path, default: []].append(index)
            case .prefix(let path, _): collected[group].prefixes[path, default: []].append(index)
            case .regex:
                // The same expression again is an equal location: tried once, at its first place in the file.
                if let known = collected[group].patterns.firstIndex(where: { $0.location == location }) {
                    collected[group].patterns[known].routes.append(index)
                } else {
                    collected[group].patterns.append((location, [index]))
                }
            }
        }

        private mutating func group(of host: RouteConfiguration.Host) -> Int32 {
            let new = Int32(collected.count)
            let (name, scope) = Self.key(of: host)
            let group = hosts.value(of: name, hash: Self.hash(name[...]), scope: scope, orInsert: new)
            if group == new {
                collected.append(Collected())
                named.append((host, group))
                hasWildcards = hasWildcards || scope == HostScope.wildcard
            }
            return group
        }

        private static func key(of host: RouteConfiguration.Host) -> ([UInt8], UInt32) {
            func bytes(_ name: String) -> [UInt8] {
                let bytes = name.utf8.map(ASCII.lowercased)
                // An IPv6 address may stand without brackets here, and then ends with no port.
                if bytes.count(where: { $0 == ASCII.colon }) > 1, bytes[0] != UInt8(ascii: "[") { return bytes }
                let bare = RouteHost.name(of: bytes.span)
                return bare.indices.map { bare[$0] }
            }
            switch host {
            case .exact(let name): return (bytes(name), HostScope.exact)
            case .wildcard(let name): return (bytes(name), HostScope.wildcard)
            }
        }

        private static func hash(_ name: ArraySlice<UInt8>) -> UInt64 {
            var hash = ByteHash(scope: 0)
            for byte in name.reversed() { hash.add(byte) }
            return hash.value
        }

        mutating func finish() {
            groups = collected.indices.map { _ in Group() }
            for (host, group) in named { groups[Int(group)].next = next(after: host) }
            for (index, group) in collected.enumerated() { finish(group, index) }
        }

        /// The group of the longest wildcard that is shorter than `host`, otherwise that of any host.
        private func next(after host: RouteConfiguration.Host) -> Int32 {
            let (name, _) = Self.key(of: host)
            for (index, byte) in name.enumerated() where byte == UInt8(ascii: ".") && index > 0 {
                let suffix = Array(name[(index + 1)...])
                if let group = hosts.value(of: suffix.span, hash: Self.hash(suffix[...]), scope: HostScope.wildcard) {
                    return group
                }
            }
            return 0
        }

        private mutating func finish(_ group: Collected, _ index: Int) {
            for (path, routes) in group.exact {
                let bytes = Array(path.utf8)
                let scope = UInt32(index)
                _ = exactLocations.value(
                    of: bytes, hash: ByteHash.of(bytes.span, scope: scope), scope: scope, orInsert: append(routes))
                groups[index].exactBytesMax = max(groups[index].exactBytesMax, bytes.count)
            }
            groups[index].root = prefixes.insert(
                group.prefixes.map { PrefixForest.Entry(prefix: Array($0.key.utf8), value: append($0.value)) })
            passthrough.append(group.passthrough.isEmpty ? -1 : append(group.passthrough))
            groups[index].patternStart = Int32(patterns.count)
            groups[index].patternCount = Int32(group.patterns.count)
            for (location, routes) in group.patterns {
                guard let pattern = compiler.pattern(of: location) else { preconditionFailure("pattern not compiled") }
                patterns.append(PatternLocation(pattern: pattern, list: append(routes)))
            }
        }

        /// `^~` before plain prefixes, then more conditions before fewer, then file order.
        private mutating func append(_ routes: [Int]) -> Int32 {
            let conditions = compiler.conditions
            let sorted = routes.sorted { left, right in
                let beats = (conditions.beatsRegex(left), conditions.beatsRegex(right))
                if beats.0 != beats.1 { return beats.0 }
                let specificity = (conditions.specificity(left), conditions.specificity(right))
                return specificity.0 == specificity.1 ? left < right : specificity.0 > specificity.1
            }
            lists.append(CandidateList(start: UInt32(candidates.count), count: UInt32(sorted.count)))
            candidates += sorted.map(UInt32.init)
            return Int32(lists.count - 1)
        }
    }
}
