package import Core

/// Keeps names resolved: asks again when an answer's time to live is over, soon after a failure, and at once when an
/// endpoint could not be connected to.
///
/// Owned by the main thread, used on its loop, which must outlive it.
package final class ResolvedNames {
    /// Addresses of the name, empty before its first good answer, and why the latest query failed, if it did. Called when
    /// either changed; must not watch or unwatch.
    package typealias OnChange = ([IPAddress], Resolver.Failure?) -> Void

    /// One wish to hear of a name.
    package struct Watch: Hashable, Sendable {
        package let name: String
        fileprivate let number: UInt64
    }

    /// How a name stands, for people.
    package struct Status: Sendable {
        package let name: String
        package let addresses: [IPAddress]
        /// Since the last good answer; nil when there was none.
        package let ageSeconds: Double?
        /// Of the latest query; nil when it went well.
        package let failure: Resolver.Failure?
        package let failuresInRow: UInt32
        /// Until the next query; nil while one is under way.
        package let nextQuerySeconds: Double?
    }

    /// Since the start.
    package struct Counters: Equatable, Sendable {
        package var queries: UInt64 = 0
        package var failures: UInt64 = 0
        /// Answers or failures that differed from what was known.
        package var changes: UInt64 = 0
    }

    package private(set) var counters = Counters()
    private let loop: EventLoop
    private let resolver: Resolver
    private var random: Random
    private var entries: [String: ResolvedNameEntry] = [:]
    private var watches: UInt64 = 0

    package init(loop: EventLoop, resolver: Resolver, random: Random) {
        self.loop = loop
        self.resolver = resolver
        self.random = random
    }

    deinit {
        for entry in entries.values { loop.cancel(entry.timer) }
    }

    /// Starts to keep a name resolved. `onChange` hears what is known already before this returns, if anything is.
    @discardableResult
    package func watch(_ name: String, onChange: @escaping OnChange) -> Watch {
        watches += 1
        let watch = Watch(name: name, number: watches)
        if let entry = entries[name] {
            entry.watchers.append((watch, onChange))
            if entry.state.answeredAt != nil || entry.state.failure != nil {
                onChange(entry.state.addresses, entry.state.failure)
            }
        } else {
            let entry = ResolvedNameEntry(name, self, now: loop.now)
            entry.watchers.append((watch, onChange))
            entries[name] = entry
            query(entry)
        }
        return watch
    }

    /// Ends a watch. The name is forgotten with its last one.
    package func unwatch(_ watch: Watch) {
        guard let entry = entries[watch.name] else { return }
        entry.watchers.removeAll { $0.watch == watch }
        guard entry.watchers.isEmpty else { return }
        loop.cancel(entry.timer)
        entries[watch.name] = nil
    }

    /// Connecting to an address of the name failed: it may have moved. Asks at once, at most once a second.
    package func refresh(_ name: String) {
        guard let entry = entries[name] else { return }
        entry.state.doubted(at: loop.now)
        if entry.state.nextQuery <= loop.now { query(entry) } else { arm(entry) }
    }

    package func status(of name: String) -> Status? { entries[name].map(status) }

    /// All names, sorted.
    package var statuses: [Status] { entries.values.map(status).sorted { $0.name < $1.name } }

    private func status(_ entry: ResolvedNameEntry) -> Status {
        let state = entry.state
        func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }
        return Status(
            name: entry.name, addresses: state.addresses,
            ageSeconds: state.answeredAt.map { seconds(loop.now.nanoseconds(since: $0)) },
            failure: state.failure, failuresInRow: state.failuresInRow,
            nextQuerySeconds: state.isQuerying ? nil : seconds(state.nextQuery.nanoseconds(since: loop.now)))
    }

    // MARK: Events

    fileprivate func timerFired(_ entry: ResolvedNameEntry) { query(entry) }

    private func query(_ entry: ResolvedNameEntry) {
        entry.state.queried(at: loop.now)
        arm(entry)
        counters.queries += 1
        resolver.resolve(entry.name) { [weak self, weak entry] result in
            guard let self, let entry, entries[entry.name] === entry else { return }
            completed(entry, result)
        }
    }

    private func completed(_ entry: ResolvedNameEntry, _ result: Result<Resolver.Answer, Resolver.Failure>) {
        let jitter = Double(random.next() >> 11) * 0x1p-53
        let change: ResolvedName.Change
        switch result {
        case .success(let answer):
            change = entry.state.answered(answer, at: loop.now, jitter: jitter)
        case .failure(let failure):
            counters.failures += 1
            change = entry.state.failed(failure, at: loop.now, jitter: jitter)
        }
        arm(entry)
        guard change == .changed else { return }
        counters.changes += 1
        for watcher in entry.watchers { watcher.onChange(entry.state.addresses, entry.state.failure) }
    }

    private func arm(_ entry: ResolvedNameEntry) { loop.schedule(entry.timer, at: entry.state.nextQuery) }
}

/// One watched name: its state, its timer and those who want to hear of it.
private final class ResolvedNameEntry: TimerTarget {
    let name: String
    var state: ResolvedName
    var watchers: [(watch: ResolvedNames.Watch, onChange: ResolvedNames.OnChange)] = []
    private(set) var timer: Timer!
    private unowned let names: ResolvedNames

    init(_ name: String, _ names: ResolvedNames, now: Instant) {
        self.name = name
        self.names = names
        state = ResolvedName(now: now)
        timer = Timer(target: self)
    }

    func timerFired(_ timer: Timer) { names.timerFired(self) }
}
