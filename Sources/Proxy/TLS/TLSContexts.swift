import Config
import IO

/// The TLS of all listeners and services, by their places in the configuration.
///
/// Made by the main thread, shared by all workers.
final class TLSContexts: Sendable {
    /// Nil for those without TLS.
    let listeners: [CurrentContext<TLSServerContext>?]
    let services: [CurrentContext<TLSClientContext>?]
    /// Nil when no listener has TLS: the first use of OpenSSL costs a megabyte.
    let tickets: TLSTicketKeys?

    /// Reads all files; throws every problem of them at once, each at the `tls` section that names the file.
    init(_ configuration: Configuration) throws(ConfigError) {
        var listeners: [CurrentContext<TLSServerContext>?] = []
        var services: [CurrentContext<TLSClientContext>?] = []
        var problems = Diagnostics()
        var tickets: TLSTicketKeys?
        for listener in configuration.listeners {
            do throws(TLSError) {
                guard let settings = listener.tlsSettings else {
                    listeners.append(nil)
                    continue
                }
                let keys = tickets ?? TLSTicketKeys()
                tickets = keys
                listeners.append(CurrentContext(try TLSServerContext(settings, tickets: keys)))
            } catch {
                problems.add(listener.tlsPosition, "listener \(listener.name): tls: \(error)")
            }
        }
        for service in configuration.services {
            do throws(TLSError) {
                guard let settings = service.tlsSettings else {
                    services.append(nil)
                    continue
                }
                services.append(CurrentContext(try TLSClientContext(settings)))
            } catch {
                problems.add(service.tlsPosition, "service \(service.name): tls: \(error)")
            }
        }
        guard problems.isEmpty else { throw ConfigError(problems.sorted) }
        self.listeners = listeners
        self.tickets = tickets
        self.services = services
    }
}

extension ListenerConfiguration {
    var tlsSettings: TLSServerSettings? { tls.map { TLSServerSettings($0, offersHTTP2: http2.isEnabled) } }
}

extension ServiceConfiguration {
    var tlsSettings: TLSClientSettings? {
        tls.map { TLSClientSettings($0, isHTTP2: protocolName == .http2 || protocolName == .grpc) }
    }
}
