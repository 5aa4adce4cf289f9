package import Config

/// One endpoint of a service, with what this worker knows of it. A value in its `Cluster`.
package struct Endpoint: Sendable {
    /// What balancers read; apart from the name, so that looking at all of them touches few cache lines.
    package struct State: Equatable, Sendable, BitwiseCopyable {
        /// 1 to 1000.
        package let weight: UInt32
        /// Exchanges under way.
        package var inFlight: UInt32 = 0
        /// Whether new exchanges may go there. Not before its name is resolved.
        package var isEligible: Bool

        package init(weight: UInt32, isEligible: Bool = true) {
            self.weight = weight
            self.isEligible = isEligible
        }
    }

    /// As configured, or the address as written.
    package let name: String
    package let configuration: EndpointConfiguration
}
