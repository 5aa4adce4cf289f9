package import Config
import Core

/// One route, ready for use: what to do with a request that takes it. Immutable, shared by all workers.
package final class CompiledRoute: Sendable {
    /// What answers the request.
    package enum Action: Sendable {
        /// The index of the service in the configuration.
        case service(Int)
        case redirect(Redirect)
        case respond(FixedResponse)
    }

    // What every request looks at stands first and close together: with thousands of routes it is never in a cache.
    package let action: Action
    package let rewrite: PathRewrite?
    /// Nil when there is nothing to change.
    package let requestEdits: FieldEdits?
    package let responseEdits: FieldEdits?
    /// Overrides of the service's and listener's values; converted once, because it divides 128-bit numbers.
    package let responseTimeoutNanoseconds: UInt64?
    package let idleTimeoutNanoseconds: UInt64?
    package let bodyBytesMax: UInt64?
    /// Its place in `RouteTable.routes`.
    package let index: Int
    package let name: String
    package let configuration: RouteConfiguration

    init(
        index: Int, configuration: RouteConfiguration, action: Action, rewrite: PathRewrite?, requestEdits: FieldEdits,
        responseEdits: FieldEdits
    ) {
        self.index = index
        name = configuration.name
        self.configuration = configuration
        self.action = action
        self.rewrite = rewrite
        self.requestEdits = requestEdits.isEmpty ? nil : requestEdits
        self.responseEdits = responseEdits.isEmpty ? nil : responseEdits
        responseTimeoutNanoseconds = configuration.responseTimeout?.nanosecondsClamped
        idleTimeoutNanoseconds = configuration.idleTimeout?.nanosecondsClamped
        bodyBytesMax = configuration.bodyBytesMax
    }
}
