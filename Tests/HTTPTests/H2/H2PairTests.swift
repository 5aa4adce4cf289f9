import Core
import Testing

@testable import HTTP

/// A client's session against a server's, back to back: many streams with bodies and trailers both ways, under windows
/// so small that everything has to wait.
@Suite struct H2PairTests {
    /// One exchange as both ends see it.
    private struct Exchange {
        let requestBytes: Int
        let responseBytes: Int
        let hasTrailers: Bool
    }

    /// One end: what it still has to send on each slot, and what it received.
    private final class End {
        struct Stream {
            var number = 0
            var left = -1
            var hasTrailers = false
            /// Bytes that the other end will send.
            var expected = 0
            var received = 0
            var trailers = 0
            var peerEnded = false
        }

        let session: H2Session
        let input = Buffer(capacity: 64)
        var streams: [Int: Stream] = [:]
        let head = RequestHead()
        let response = ResponseHead()
        let fields = HeaderBlock()

        init(_ role: H2Session.Role, _ limits: H2Limits) {
            session = H2Session(role, limits: limits)
            session.start()
        }

        /// The body's bytes tell where they belong.
        static func body(_ number: Int, at position: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: number &* 31 &+ position)
        }

        /// Sends what the windows let through.
        func push() {
            for (slot, stream) in streams where stream.left >= 0 {
                let total = stream.left
                let window = session.sendWindow(slot)
                guard window > 0 || total == 0 else { continue }
                // A little more than the window lets through.
                let count = min(total, window + 10)
                // Bodies are sent from their end on, so that what is left says where.
                let bytes = (0..<count).map { Self.body(stream.number, at: total - 1 - $0) }
                let taken = session.queueData(slot, bytes.span, ends: count == total && !stream.hasTrailers)
                #expect(taken == min(count, window))
                streams[slot]?.left = total - taken
                guard total == taken else { continue }
                if stream.hasTrailers {
                    fields.removeAll()
                    fields.append(("X-Sum" as StaticString).bytes, Array("\(stream.number)".utf8).span)
                    session.queueTrailers(slot, fields)
                }
                streams[slot]?.left = -1
            }
        }
    }

    private func text(_ head: RequestHead, _ name: StaticString) -> Int {
        let headers = head.headers
        guard let field = headers.first(named: name.bytes) else { return -1 }
        return Int(headers.value(of: field).text) ?? -1
    }

    @Test(arguments: [(1, 17, 100), (7, 100, 16_000), (64, 1000, 70_000), (100, 65_536, 1_048_576)])
    func everythingArrives(_ streamsMax: Int, _ streamWindow: Int, _ connectionWindow: Int) throws {
        var limits = H2Limits()
        limits.streamsMax = streamsMax
        limits.streamWindow = streamWindow
        limits.connectionWindow = connectionWindow
        limits.windowUpdatesMax = 1_000_000
        var random = Random(seed: UInt64(streamWindow))
        let exchanges = (0..<100).map { _ in
            Exchange(
                requestBytes: Int(random.next() % 3000), responseBytes: Int(random.next() % 5000),
                hasTrailers: random.next() % 2 == 0)
        }
        let (client, server) = (End(.client, limits), End(.server, limits))
        var (begun, finished, turns) = (0, 0, 0)
        // Before it knows the server's limit a client would open more streams than some of these allow.
        let opening = server.session.output
        client.input.append(opening.readable)
        opening.clear()
        try receive(client)

        while finished < exchanges.count {
            turns += 1
            try #require(turns < 100_000, "\(finished) of \(begun) after \(turns) turns")
            while begun < exchanges.count, client.session.canOpen {
                let exchange = exchanges[begun]
                let request =
                    "POST /\(begun) HTTP/1.1\r\nHost: a\r\nX-Number: \(begun)\r\nTransfer-Encoding: chunked\r\n\r\n"
                _ = try H1RequestParser.parse(
                    Array(request.utf8).span, into: client.head, limits: ParsedHead.limits, scanned: 0)
                let slot = client.session.open()
                client.session.queueRequest(slot, client.head, isSecure: true, ends: false)
                client.streams[slot] = End.Stream(
                    number: begun, left: exchange.requestBytes, hasTrailers: exchange.hasTrailers,
                    expected: exchange.responseBytes)
                begun += 1
            }
            client.push()
            deliver(client, to: server, &random)
            try serve(server, exchanges)
            server.push()
            closeFinished(server) { _ in }
            deliver(server, to: client, &random)
            try receive(client)
            closeFinished(client) { stream in
                finished += 1
                let exchange = exchanges[stream.number]
                #expect(stream.received == exchange.responseBytes && stream.trailers == (exchange.hasTrailers ? 1 : 0))
            }
        }
        #expect(client.session.streamsOpen == 0 && server.session.streamsOpen == 0)
        #expect(client.session.violation == nil && server.session.violation == nil)
        #expect(server.session.streams.endIndex <= streamsMax && begun == exchanges.count)
    }

    /// Moves some of what one end queued to the other.
    private func deliver(_ from: End, to other: End, _ random: inout Random) {
        let output = from.session.output
        let count = min(output.readableCount, 1 + Int(random.next() % 40_000))
        guard count > 0 else { return }
        other.input.append(output.readable.extracting(first: count))
        output.consume(count)
    }

    private func serve(_ end: End, _ exchanges: [Exchange]) throws {
        while true {
            let event = end.session.next(end.input, now: .zero)
            switch event {
            case .needMore: return
            case .head(let slot, isNew: true, ends: let ends):
                try end.session.decodeRequest(slot, into: end.head)
                let number = text(end.head, "x-number")
                end.streams[slot] = End.Stream(
                    number: number, hasTrailers: exchanges[number].hasTrailers,
                    expected: exchanges[number].requestBytes)
                #expect(!ends)
            default: try take(event, end)
            }
            for (slot, stream) in end.streams where stream.peerEnded && stream.received >= 0 {
                let exchange = exchanges[stream.number]
                #expect(stream.received == exchange.requestBytes && stream.trailers == (exchange.hasTrailers ? 1 : 0))
                end.response.reset()
                end.response.status = 200
                end.session.queueResponse(slot, end.response, ends: false)
                end.streams[slot]?.left = exchange.responseBytes
                end.streams[slot]?.received = -1
            }
        }
    }

    private func receive(_ end: End) throws {
        while true {
            let event = end.session.next(end.input, now: .zero)
            switch event {
            case .needMore: return
            case .head(let slot, isNew: true, ends: _):
                try end.session.decodeResponse(slot, into: end.response, method: .post)
                #expect(end.response.status == 200)
            default: try take(event, end)
            }
        }
    }

    private func take(_ event: H2Session.Event, _ end: End) throws {
        switch event {
        case .data(let slot, let range, let ends):
            let stream = end.streams[slot] ?? End.Stream()
            let input = end.input
            let bytes = input.bytes(range)
            let strange = (0..<range.count).filter {
                bytes[$0] != End.body(stream.number, at: stream.expected - 1 - stream.received - $0)
            }
            #expect(strange.isEmpty, "on \(slot)")
            end.streams[slot]?.received += range.count
            end.session.consumed(slot, range.count)
            if ends { end.streams[slot]?.peerEnded = true }
        case .head(let slot, isNew: false, let ends):
            try end.session.decodeTrailers(slot, into: end.fields)
            end.streams[slot]?.trailers = end.fields.fields.count
            end.streams[slot]?.peerEnded = ends
        case .settings, .writable, .allWritable: break
        default: Issue.record("\(end.session.role): \(event)")
        }
    }

    /// Closes what both ended.
    private func closeFinished(_ end: End, _ body: (End.Stream) -> Void) {
        for (slot, stream) in end.streams where end.session.isClosedOnWire(slot) {
            body(stream)
            end.session.close(slot, .internalError)
            end.streams[slot] = nil
        }
    }
}
