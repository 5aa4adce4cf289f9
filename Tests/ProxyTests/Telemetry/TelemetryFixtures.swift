import Core
import HTTP
import Traffic

@testable import Proxy

extension MetricsNames {
    /// Two listeners, two routes, a service of two endpoints and one of one.
    static let sample = MetricsNames(
        listeners: ["web", "orders-local"], routes: ["orders-api", "static"],
        services: [
            Service(name: "orders", endpoints: ["backend1", "backend2"]),
            Service(name: "db", endpoints: ["10.0.0.20:3306"]),
        ])
}

extension ExchangeRecord {
    /// A GET over `web` that `orders`' second endpoint answered with 200 after 1.5 ms.
    static var sample: ExchangeRecord {
        var record = ExchangeRecord(listener: 0)
        record.route = 0
        record.service = 0
        record.endpoint = 1
        record.method = .get
        record.status = 200
        record.attempts = 1
        record.flags = [.upstreamResponded, .upstreamReused]
        record.duration = 1_500_000
        record.upstreamHead = 1_100_000
        record.upstreamDuration = 1_200_000
        record.responseBodyBytes = 127
        record.receivedBytes = 300
        record.sentBytes = 400
        record.upstreamSentBytes = 350
        record.upstreamReceivedBytes = 380
        record.clientAddress = IPAddress("10.1.2.3")
        record.clientPort = 40_000
        return record
    }
}

extension RequestHead {
    /// A head with these parts, as a parser would leave it; nil is absent.
    static func sample(
        method: String? = "GET", path: String? = "/api/orders", query: String? = "page=2",
        authority: String? = "shop.local:8080", userAgent: [UInt8]? = Array("curl/8.5.0".utf8)
    ) -> RequestHead {
        let head = RequestHead()
        let storage = head.headers.storage
        func place(_ text: String?) -> ByteRange {
            guard let text else { return .empty }
            let start = storage.writerIndex
            storage.append(text)
            return ByteRange(start: start, count: storage.writerIndex - start)
        }
        head.methodName = place(method)
        head.target = place(path.map { $0 + (query.map { "?" + $0 } ?? "") })
        if let path {
            head.path = ByteRange(start: Int(head.target.start), count: path.utf8.count)
            if let query {
                head.hasQuery = true
                head.query = ByteRange(
                    start: Int(head.path.start + head.path.count) + 1, count: query.utf8.count)
            }
        }
        head.authority = place(authority)
        if let userAgent { head.headers.append(.userAgent, spelled: "User-Agent", userAgent.span) }
        return head
    }

    /// Adds a field and gives where its value stands.
    func place(_ name: HeaderName, _ spelled: StaticString, _ value: String) -> ByteRange {
        headers.append(name, spelled: spelled, Array(value.utf8).span)
        let field = headers.fields[headers.fields.count - 1]
        return ByteRange(start: Int(field.valueStart), count: Int(field.valueCount))
    }
}
