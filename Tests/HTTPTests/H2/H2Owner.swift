import Core

@testable import HTTP

/// The owner of a session as tests need one: does with every event what a proxy would, and writes down what came.
final class H2Owner {
    let session: H2Session
    let input = Buffer(capacity: 16)
    var now = Instant.zero
    /// Requests that are complete are answered at once by an empty 200.
    var responds = false
    /// Payload is consumed as it comes.
    var consumes = true
    /// The method that responses answer.
    var method = HTTP.Method.get
    /// Events in order, payload of one stream in a row as one.
    private(set) var events: [String] = []
    /// Frames that the session queued, in order.
    private(set) var sent: [String] = []
    /// Streams' numbers by slot, for those that are open.
    private(set) var slots: [UInt32: Int] = [:]
    private var lastData: (stream: UInt32, count: Int)?

    let requestHead = RequestHead()
    let responseHead = ResponseHead()
    let trailers = HeaderBlock()

    init(_ role: H2Session.Role, limits: H2Limits = H2Limits()) {
        session = H2Session(role, limits: limits)
        session.start()
    }

    /// Client: opens a stream with a request.
    @discardableResult
    func request(_ text: String = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ends: Bool = true) -> Int {
        let slot = session.open()
        let outcome = try? H1RequestParser.parse(
            Array(text.utf8).span, into: requestHead, limits: ParsedHead.limits, scanned: 0)
        precondition(outcome == .complete(text.utf8.count))
        session.queueRequest(slot, requestHead, isSecure: true, ends: ends)
        slots[session.id(of: slot)] = slot
        return slot
    }

    func feed(_ bytes: some Collection<UInt8>) {
        input.append(Array(bytes).span)
        drain()
    }

    func drain() {
        while events.last?.hasPrefix("over") != true {
            let event = session.next(input, now: now)
            if event == .needMore { break }
            take(event)
        }
        collect()
    }

    /// Moves what the session queued to `sent`.
    func collect() {
        let output = session.output
        let readable = output.readable
        sent += H2Wire.lines(readable.indices.map { readable[$0] })
        output.consume(output.readableCount)
    }

    func close(_ slot: Int, _ code: H2ErrorCode = .cancel) {
        slots[session.id(of: slot)] = nil
        session.close(slot, code)
    }

    private func note(_ text: String) {
        lastData = nil
        events.append(text)
    }

    private func take(_ event: H2Session.Event) {
        switch event {
        case .needMore: break
        case .head(let slot, let isNew, let ends): takeHead(slot, isNew: isNew, ends: ends)
        case .data(let slot, let range, let ends):
            let id = session.id(of: slot)
            let before = lastData?.stream == id ? lastData?.count : nil
            if before != nil { events.removeLast() }
            let count = (before ?? 0) + range.count
            note("data \(id) \(count)\(ends ? " ends" : "")")
            if !ends { lastData = (id, count) }
            if consumes { session.consumed(slot, range.count) }
            if ends { complete(slot) }
        case .reset(let slot, let code):
            note("reset \(session.id(of: slot)) \(code)")
            close(slot)
        case .streamFailed(let slot, let code, let error):
            note("failed \(session.id(of: slot)) \(code) \(error)")
            close(slot)
        case .writable(let slot): note("writable \(session.id(of: slot))")
        case .allWritable: note("all writable")
        case .settings: note("settings")
        case .refused(let slot):
            note("refused \(session.id(of: slot))")
            close(slot)
        case .goAway(let code): note("goaway \(code)")
        case .pong: note("pong")
        case .failed(let violation): note("over \(violation)")
        }
    }

    private func takeHead(_ slot: Int, isNew: Bool, ends: Bool) {
        let id = session.id(of: slot)
        slots[id] = slot
        let ending = ends ? " ends" : ""
        do throws(HTTPError) {
            if !isNew {
                try session.decodeTrailers(slot, into: trailers)
                note("trailers \(id) \(trailers.fields.count)\(ending)")
            } else if session.role == .server {
                let head = requestHead
                try session.decodeRequest(slot, into: head)
                note(
                    "request \(id) \(head.bytes(head.methodName).text) "
                        + "\(head.bytes(head.target).text) \(head.framing)\(ending)")
            } else {
                try session.decodeResponse(slot, into: responseHead, method: method)
                note("response \(id) \(responseHead.status) \(responseHead.framing)\(ending)")
            }
            if ends { complete(slot) }
        } catch {
            note("malformed \(id) \(error)")
            close(slot, .protocolError)
        }
    }

    private func complete(_ slot: Int) {
        guard responds else { return }
        responseHead.reset()
        responseHead.status = 200
        session.queueResponse(slot, responseHead, ends: true)
        close(slot, .noError)
    }
}
