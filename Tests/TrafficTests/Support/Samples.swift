import Config
import Core
import HTTP

@testable import Traffic

/// A request head as a parser would make it.
func request(
    _ method: String = "GET", _ target: String = "/", host: String? = nil, fields: [(String, String)] = []
) -> RequestHead {
    let head = RequestHead()
    let storage = head.headers.storage
    func append(_ text: some StringProtocol) -> ByteRange {
        let start = storage.writerIndex
        storage.append(String(text))
        return ByteRange(start: start, count: storage.writerIndex - start)
    }
    head.methodName = append(method)
    head.method = Method(head.bytes(head.methodName))
    storage.append(ASCII.space)
    head.target = append(target)
    let path = target.prefix(while: { $0 != "?" })
    head.path = ByteRange(start: Int(head.target.start), count: path.utf8.count)
    head.hasQuery = target.contains("?")
    if head.hasQuery {
        let skipped = path.utf8.count + 1
        head.query = ByteRange(start: Int(head.target.start) + skipped, count: target.utf8.count - skipped)
    }
    storage.append(" HTTP/1.1\r\n")
    if let host {
        head.headers.append(Array("Host".utf8).span, Array(host.utf8).span)
        let field = head.headers.fields[0]
        head.authority = ByteRange(start: Int(field.valueStart), count: Int(field.valueCount))
    }
    for (name, value) in fields { head.headers.append(Array(name.utf8).span, Array(value.utf8).span) }
    return head
}

/// The lines of a block as they would be sent.
func lines(_ block: HeaderBlock) -> [String] {
    let output = Buffer(capacity: 64)
    block.write(into: output)
    return output.readable.text.split(separator: "\r\n").map(String.init)
}

/// A route to the service `s`.
func route(
    _ name: String, _ location: RouteConfiguration.Location = .prefix("/", beatsRegex: false),
    _ change: (inout RouteConfiguration) -> Void = { _ in }
) -> RouteConfiguration {
    var route = RouteConfiguration(name: name, action: .service("s"))
    route.location = location
    change(&route)
    return route
}

/// A configuration of these routes, one service `s` and two listeners, `one` and `two`.
func configuration(_ routes: [RouteConfiguration]) -> Configuration {
    var configuration = Configuration()
    configuration.services = [ServiceConfiguration(name: "s", endpoints: [])]
    configuration.listeners = ["one", "two"].map {
        ListenerConfiguration(name: $0, address: .ip(.loopbackV4, port: 0))
    }
    configuration.routes = routes
    return configuration
}

/// The name of the route that `head` takes, after normalising its path as a listener does by default.
func matched(_ table: RouteTable, _ head: RequestHead, listener: Int = 0) throws -> String? {
    let scratch = RouteScratch()
    let normalizer = PathNormalizer(PathConfiguration())
    return try table.match(head, normalizer, listener: listener, scratch: scratch).map { table.routes[$0].name }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
