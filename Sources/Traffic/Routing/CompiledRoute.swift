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

    /// Its place in `RouteTable.routes`.
    package let index: Int
    package let name: String
    package let configuration: RouteConfiguration
    package let action: Action
    package let rewrite: PathRewrite?
    package let requestEdits: FieldEdits
    package let responseEdits: FieldEdits
    /// Overrides of the service's and listener's values; converted once, because it divides 128-bit numbers.
    package let responseTimeoutNanoseconds: UInt64?
    package let idleTimeoutNanoseconds: UInt64?
    package let bodyBytesMax: UInt64?

    init(
        index: Int, configuration: RouteConfiguration, action: Action, rewrite: PathRewrite?, requestEdits: FieldEdits,
        responseEdits: FieldEdits
    ) {
        self.index = index
        name = configuration.name
        self.configuration = configuration
        self.action = action
        self.rewrite = rewrite
        self.requestEdits = requestEdits
        self.responseEdits = responseEdits
        responseTimeoutNanoseconds = configuration.responseTimeout?.nanosecondsClamped
        idleTimeoutNanoseconds = configuration.idleTimeout?.nanosecondsClamped
        bodyBytesMax = configuration.bodyBytesMax
    }
}
