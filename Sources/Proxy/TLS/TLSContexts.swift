import Config
import IO

/// The TLS of all listeners and services, by their places in the configuration.
///
/// Made by the main thread, shared by all workers.
final class TLSContexts: Sendable {
    /// Nil for those without TLS.
    let listeners: [CurrentContext<TLSServerContext>?]
    let services: [CurrentContext<TLSClientContext>?]
    let tickets = TLSTicketKeys()

    /// Throws a text that names the listener or service, and the file.
    init(_ configuration: Configuration) throws(TLSContextProblem) {
        var listeners: [CurrentContext<TLSServerContext>?] = []
        for listener in configuration.listeners {
            guard let settings = listener.tlsSettings else {
                listeners.append(nil)
                continue
            }
            do {
                listeners.append(CurrentContext(try TLSServerContext(settings, tickets: tickets)))
            } catch {
                throw TLSContextProblem(text: "listener \(listener.name): tls: \(error)")
            }
        }
        var services: [CurrentContext<TLSClientContext>?] = []
        for service in configuration.services {
            guard let settings = service.tlsSettings else {
                services.append(nil)
                continue
            }
            do {
                services.append(CurrentContext(try TLSClientContext(settings)))
            } catch {
                throw TLSContextProblem(text: "service \(service.name): tls: \(error)")
            }
        }
        self.listeners = listeners
        self.services = services
    }
}

/// Why a configuration's TLS cannot be used.
struct TLSContextProblem: Error {
    let text: String
}

extension ListenerConfiguration {
    var tlsSettings: TLSServerSettings? { tls.map { TLSServerSettings($0, offersHTTP2: http2.isEnabled) } }
}

extension ServiceConfiguration {
    var tlsSettings: TLSClientSettings? {
        tls.map { TLSClientSettings($0, isHTTP2: protocolName == .http2 || protocolName == .grpc) }
    }
}
