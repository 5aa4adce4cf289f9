import Config
import Core
import HTTP
import IO
import Traffic

/// What one worker routes and forwards by: the shared routes, and this worker's own clusters and pools.
///
/// Exchanges keep the plan they began with; a newer one serves those that begin later.
final class WorkerPlan {
    let routes: RouteTable
    /// In the configuration's order.
    let services: [WorkerService]

    init(_ configuration: Configuration, routes: RouteTable, tls: TLSContexts, worker: Worker) {
        self.routes = routes
        services = configuration.services.enumerated().map { index, service in
            WorkerService(
                service, index: index, tls: tls.services[index],
                unacknowledgedMax: configuration.unacknowledgedMax(service.timeouts.idle),
                worker: worker)
        }
    }
}

/// One service as a worker sees it: who is picked, and the connections to them.
final class WorkerService {
    let index: Int
    let cluster: Cluster
    /// One per endpoint, in the configuration's order.
    let pools: [EndpointPool]
    /// Nanoseconds.
    let responseTimeout: UInt64
    let idleTimeout: UInt64

    init(
        _ configuration: ServiceConfiguration, index: Int, tls: CurrentContext<TLSClientContext>?,
        unacknowledgedMax: Duration, worker: Worker
    ) {
        self.index = index
        cluster = Cluster(configuration, rotation: worker.index)
        let limits = EndpointPool.Limits(configuration, unacknowledgedMax: unacknowledgedMax)
        pools = configuration.endpoints.enumerated().map { number, endpoint in
            let tls = tls.map {
                EndpointTLS(
                    $0, serverName: configuration.serverName(of: endpoint), isHTTP2: limits.isHTTP2, service: index,
                    metrics: worker.metrics)
            }
            return EndpointPool(endpoint, limits: limits, tls: tls, service: index, endpoint: number, worker: worker)
        }
        responseTimeout = configuration.timeouts.response.nanosecondsClamped
        idleTimeout = configuration.timeouts.idle.nanosecondsClamped
        for (number, pool) in pools.enumerated() { cluster.setEligible(!pool.addresses.isEmpty, number) }
    }

    /// The name of an endpoint resolves to these addresses now.
    func resolved(endpoint: Int, _ addresses: [SocketAddress]) {
        pools[endpoint].resolved(addresses)
        cluster.setEligible(!addresses.isEmpty, endpoint)
    }

    /// Nothing is parked any more; the plan goes when its last exchange ends.
    func retire() {
        for pool in pools { pool.retire() }
    }
}
