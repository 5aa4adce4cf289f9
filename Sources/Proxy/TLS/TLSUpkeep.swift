import Config
import Core
import IO
import Logging

/// Keeps TLS up to date while it is in use: reads files anew once they have changed, and changes the tickets' key.
///
/// Owned by the server, used on the main thread. Connections keep the context they began with, so none is disturbed; a
/// new file that cannot be used leaves the one before in use.
final class TLSUpkeep: TimerTarget {
    /// How often the files are looked at.
    static let interval: Duration = .seconds(1)

    let contexts: TLSContexts
    let metrics = TLSMetrics()
    private let configuration: Configuration
    private let logger: Logger
    private var watches: [TLSWatch] = []
    /// The shortest of all listeners, in nanoseconds: there is one key for all. Nil where nobody has tickets.
    private let rotation: UInt64?
    private var rotatedAt = Instant.zero
    private let timer = Timer()
    private var loop: EventLoop?

    /// Reads all files; throws every problem of them at once.
    init(_ configuration: Configuration, _ logger: Logger) throws(ConfigError) {
        // Before anything is read: what changes meanwhile has changed.
        let listenerFiles = configuration.listeners.map { $0.tlsSettings.map { FileWatch($0.paths) } }
        let serviceFiles = configuration.services.map { $0.tlsSettings.map { FileWatch($0.paths) } }
        let contexts = try TLSContexts(configuration)
        self.contexts = contexts
        self.configuration = configuration
        self.logger = logger
        rotation = configuration.listeners.compactMap { listener in
            listener.tls.flatMap { $0.sessionTickets ? $0.ticketRotation.nanosecondsClamped : nil }
        }.min()
        for (index, listener) in configuration.listeners.enumerated() {
            guard let settings = listener.tlsSettings, let files = listenerFiles[index],
                let current = contexts.listeners[index], let tickets = contexts.tickets
            else { continue }
            watches.append(
                TLSWatch("listener", listener.name, files) { () throws(TLSError) in
                    current.replace(by: try TLSServerContext(settings, tickets: tickets))
                })
        }
        for (index, service) in configuration.services.enumerated() {
            guard let settings = service.tlsSettings, let files = serviceFiles[index],
                let current = contexts.services[index]
            else { continue }
            watches.append(
                TLSWatch("service", service.name, files) { () throws(TLSError) in
                    current.replace(by: try TLSClientContext(settings))
                })
        }
        timer.target = self
    }

    /// Looks after it from now on.
    func start(on loop: EventLoop) {
        guard !watches.isEmpty else { return }
        self.loop = loop
        rotatedAt = loop.now
        loop.schedule(timer, after: Self.interval)
    }

    func timerFired(_ timer: Timer) {
        guard let loop else { return }
        check(at: loop.now)
        loop.schedule(timer, after: Self.interval)
    }

    /// Does what is due.
    func check(at now: Instant) {
        for watch in watches {
            switch watch.check() {
            case .unchanged: break
            case .reloaded:
                metrics.add(.reloadsSucceeded)
                logger.info("tls files reloaded", metadata: ["\(watch.kind)": "\(watch.name)"])
            case .failed(let error):
                metrics.add(.reloadsFailed)
                logger.warning(
                    "tls files have changed and cannot be used: what was read before stays in use",
                    metadata: ["\(watch.kind)": "\(watch.name)", "why": "\(error)"])
            }
        }
        if let rotation, now.nanoseconds(since: rotatedAt) >= rotation {
            rotatedAt = now
            contexts.tickets?.rotate()
            metrics.add(.ticketRotations)
        }
    }

    // MARK: Questions of the admin port

    /// What the files as they are now cannot be used for, and why.
    var problems: [String] { watches.compactMap(\.problemText) }

    /// The certificates in use that somebody is shown: those of listeners, and those that services are shown.
    var certificates: [CertificateExpiry] {
        var found: [CertificateExpiry] = []
        for (listener, current) in zip(configuration.listeners, contexts.listeners) {
            for certificate in current?.value.certificates ?? [] {
                found.append(CertificateExpiry("listener", listener.name, certificate))
            }
        }
        for (service, current) in zip(configuration.services, contexts.services) {
            guard let certificate = current?.value.certificate else { continue }
            found.append(CertificateExpiry("service", service.name, certificate))
        }
        return found
    }
}
