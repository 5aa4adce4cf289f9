import Core
import HTTP
import IO

@testable import Proxy

/// One end of an HTTP/2 connection with the proxy, in a test's hands: a client of it, or a server behind it.
///
/// Its frames are made and read by a session of the HTTP room, whose own tests hold it to RFC 9113. Nothing here waits:
/// an `H2Scene` gives every peer its turns. Used by one thread.
final class H2Peer {
    /// What came on one stream, and how it ended.
    struct Stream {
        var method = ""
        var path = ""
        var status = 0
        var fields: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var trailers: [(name: String, value: String)] = []
        /// The other side has sent all.
        var isEnded = false
        /// The other side's RST_STREAM.
        var resetCode: H2ErrorCode?
        /// The other side's GOAWAY left it out.
        var isRefused = false
        /// This side reset it.
        var isGivenUp = false

        var text: String { String(decoding: body, as: UTF8.self) }
        var isOver: Bool { isEnded || resetCode != nil || isRefused }

        /// The first value of that name, in lower case.
        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    /// A body that has not left whole.
    private struct Sending {
        var bytes: [UInt8]
        var position = 0
        let ends: Bool
        let trailers: HeaderBlock?
    }

    let peer: Peer
    let session: H2Session
    /// By number.
    private(set) var streams: [UInt32: Stream] = [:]
    private(set) var goAway: H2ErrorCode?
    /// What the other side was at fault with.
    private(set) var violation: H2Violation?
    private(set) var hasSettings = false
    private(set) var pongs = 0
    /// How the connection ended.
    private(set) var end: Peer.Failure?
    /// Whether received payload makes room for more, on streams that begin from now on.
    var consumes = true
    /// Whether the socket is read.
    var reads = true
    private let input = Buffer(capacity: 64 * 1024)
    private var slots: [UInt32: Int] = [:]
    private var unconsumed: [UInt32: Int] = [:]
    private var sending: [UInt32: Sending] = [:]
    private let requestHead = RequestHead()
    private let responseHead = ResponseHead()
    private let trailerBlock = HeaderBlock()

    init(_ role: H2Session.Role, _ peer: Peer, limits: H2Limits = H2Limits()) {
        self.peer = peer
        session = H2Session(role, limits: limits)
        session.start()
    }

    /// Whether frames wait to be sent.
    var hasOutput: Bool { !session.output.isEmpty }

    subscript(id: UInt32) -> Stream { streams[id] ?? Stream() }

    // MARK: What the other side hears

    /// Client: asks. `body` nil: the request ends with its head; otherwise that is sent as far as it may, and the rest
    /// in later turns.
    @discardableResult
    func request(_ line: String = "GET /", fields: String = "", body: [UInt8]? = nil, ends: Bool = true) -> UInt32 {
        let text = "\(line) HTTP/1.1\r\nHost: app\r\n\(fields)\r\n"
        let limits = HeadLimits(startLineBytesMax: 8192, headBytesMax: 16384, fieldsMax: 100)
        let outcome = try? H1RequestParser.parse(Array(text.utf8).span, into: requestHead, limits: limits, scanned: 0)
        precondition(outcome == .complete(text.utf8.count))
        let slot = session.open()
        session.queueRequest(slot, requestHead, isSecure: false, ends: body == nil && ends)
        let id = session.id(of: slot)
        slots[id] = slot
        streams[id] = Stream()
        if let body { send(id, body, ends: ends) }
        return id
    }

    /// Server: answers, the body as in `request`.
    func respond(
        _ id: UInt32, _ body: [UInt8] = [], status: UInt16 = 200, fields: [(String, String)] = [], ends: Bool = true,
        trailers: [(String, String)] = []
    ) {
        guard let slot = slots[id] else { return }
        responseHead.reset()
        responseHead.status = status
        for (name, value) in fields {
            responseHead.headers.append(Array(name.utf8).span, Array(value.utf8).span)
        }
        session.queueResponse(slot, responseHead, ends: body.isEmpty && ends && trailers.isEmpty)
        if !body.isEmpty || !trailers.isEmpty { send(id, body, ends: ends, trailers: trailers) }
        releaseFinished()
    }

    func respond(_ id: UInt32, _ text: String) { respond(id, Array(text.utf8)) }

    /// Payload of a stream whose head was sent.
    func send(_ id: UInt32, _ bytes: [UInt8], ends: Bool, trailers: [(String, String)] = []) {
        var block: HeaderBlock?
        if !trailers.isEmpty {
            let fields = HeaderBlock()
            for (name, value) in trailers { fields.append(Array(name.utf8).span, Array(value.utf8).span) }
            block = fields
        }
        precondition(sending[id] == nil, "one body after the other")
        sending[id] = Sending(bytes: bytes, ends: ends, trailers: block)
        continueSending()
    }

    func reset(_ id: UInt32, _ code: H2ErrorCode = .cancel) {
        streams[id]?.isGivenUp = true
        release(id, code)
    }

    private func release(_ id: UInt32, _ code: H2ErrorCode) {
        guard let slot = slots.removeValue(forKey: id) else { return }
        sending[id] = nil
        unconsumed[id] = nil
        session.close(slot, code)
    }

    /// Makes room for what a stream received while nothing did.
    func consume(_ id: UInt32) {
        guard let count = unconsumed.removeValue(forKey: id), let slot = slots[id] else { return }
        session.consumed(slot, count)
    }

    /// All of the body that was given has left.
    func hasSent(_ id: UInt32) -> Bool { sending[id] == nil }

    func close() {
        end = end ?? .ended
        peer.close()
    }

    /// Closes so that the other end hears of a reset.
    func abort() {
        end = end ?? .reset
        peer.reset()
    }

    // MARK: A turn

    /// Reads what is there, does what it asks for, and writes as much as there is room for.
    func turn() {
        guard end == nil else { return }
        if reads, violation == nil {
            do {
                let bytes = try peer.readArrived()
                input.append(bytes.span)
            } catch {
                end = error as? Peer.Failure ?? .failed(0)
            }
            handleFrames()
        }
        continueSending()
        releaseFinished()
        flush()
    }

    private func flush() {
        let output = session.output
        guard end == nil else { return }
        do {
            while !output.isEmpty {
                let count = min(output.readableCount, 256 * 1024)
                let sent = try peer.sendUntilFull(
                    output.array(output.readerIndex..<output.readerIndex + count), waitMs: 0)
                output.consume(sent)
                if sent < count { return }
            }
        } catch {
            end = error as? Peer.Failure ?? .failed(0)
        }
    }

    private func continueSending() {
        for (id, var body) in sending {
            guard let slot = slots[id] else {
                sending[id] = nil
                continue
            }
            // Nothing but what is sent may lie in the way of frames that answer.
            guard session.output.readableCount < 1 << 20 else { continue }
            let room = min(body.bytes.count - body.position, session.sendWindow(slot))
            let piece = Array(body.bytes[body.position..<body.position + room])
            body.position += room
            let isLast = body.position == body.bytes.count
            _ = session.queueData(slot, piece.span, ends: isLast && body.ends && body.trailers == nil)
            sending[id] = body
            guard isLast else { continue }
            if let trailers = body.trailers { session.queueTrailers(slot, trailers) }
            sending[id] = nil
        }
    }

    private func handleFrames() {
        while violation == nil {
            switch session.next(input, now: .zero) {
            case .needMore: return
            case .head(let slot, let isNew, let ends): received(slot, isNew: isNew, ends: ends)
            case .data(let slot, let range, let ends): received(slot, range, ends: ends)
            case .reset(let slot, let code), .streamFailed(let slot, let code, _):
                let id = session.id(of: slot)
                streams[id]?.resetCode = code
                release(id, .cancel)
            case .refused(let slot):
                let id = session.id(of: slot)
                streams[id]?.isRefused = true
                release(id, .cancel)
            case .writable, .allWritable: break
            case .settings: hasSettings = true
            case .goAway(let code): goAway = code
            case .pong: pongs += 1
            case .failed(let violation): self.violation = violation
            }
        }
    }

    private func received(_ slot: Int, isNew: Bool, ends: Bool) {
        let id = session.id(of: slot)
        slots[id] = slot
        var stream = self[id]
        do throws(HTTPError) {
            if !isNew {
                try session.decodeTrailers(slot, into: trailerBlock)
                stream.trailers = Self.fields(trailerBlock)
            } else if session.role == .server {
                let head = requestHead
                try session.decodeRequest(slot, into: head)
                stream.method = head.bytes(head.methodName).text
                stream.path = head.bytes(head.target).text
                stream.fields = Self.fields(head.headers)
            } else {
                try session.decodeResponse(slot, into: responseHead, method: .get)
                stream.status = Int(responseHead.status)
                stream.fields = Self.fields(responseHead.headers)
            }
        } catch {
            return reset(id, .protocolError)
        }
        stream.isEnded = ends
        streams[id] = stream
    }

    private func received(_ slot: Int, _ range: Range<Int>, ends: Bool) {
        let id = session.id(of: slot)
        streams[id]?.body += input.array(range)
        if ends { streams[id]?.isEnded = true }
        if consumes {
            session.consumed(slot, range.count)
        } else {
            unconsumed[id, default: 0] += range.count
        }
    }

    /// Slots of streams that both sides ended.
    private func releaseFinished() {
        for (id, slot) in slots where session.isClosedOnWire(slot) { release(id, .noError) }
    }

    private static func fields(_ block: HeaderBlock) -> [(name: String, value: String)] {
        block.fields.map { (block.name(of: $0).text.lowercased(), block.value(of: $0).text) }
    }
}

extension Buffer {
    fileprivate func array(_ range: Range<Int>) -> [UInt8] {
        // SAFETY: the bytes are copied before the pointer ends.
        unsafe bytes(range).withUnsafeBytes { unsafe Array($0) }
    }
}
