import Core
import HTTP
import IO

/// One connection to the admin port: reads a request, answers it whole, reads the next.
///
/// Owned by its listener, used on the main thread.
final class AdminConnection: EventHandler, TimerTarget {
    private static let idleMax: Duration = .seconds(30)
    private static let limits = HeadLimits(startLineBytesMax: 4096, headBytesMax: 16 * 1024, fieldsMax: 64)
    /// A body is read and dropped; longer ones end the connection.
    private static let bodyBytesMax: UInt64 = 64 * 1024

    private let wire: Wire
    private let peer: SocketAddress
    private unowned let server: Server
    private let timer = Timer()
    private let request = RequestHead()
    private let response = ResponseHead()
    private var onClose: (() -> Void)?
    /// When its last request was answered, or it was accepted.
    private(set) var servedAt = Instant.zero
    private var closesAfterWriting = false
    private var isReadingBody = false

    init(_ descriptor: consuming FileDescriptor, peer: SocketAddress, server: Server, buffers: BufferPool) {
        wire = Wire(transport: Transport(descriptor, loop: server.loop), buffers: buffers)
        self.peer = peer
        self.server = server
        timer.target = self
    }

    /// Starts to serve; `onClose` is called once, at the end.
    func open(_ onClose: @escaping () -> Void) {
        self.onClose = onClose
        do { try wire.transport.attach(self) } catch { return close() }
        wire.transport.assumeReady()
        awaitRequest()
        serve()
    }

    func ready(_ readiness: Readiness) {
        wire.transport.note(readiness)
        if wire.hasOutput { flush() }
        if !wire.hasOutput { serve() }
    }

    func timerFired(_ timer: Timer) { close() }

    /// A whole request must arrive within the time: single bytes do not prolong it.
    private func awaitRequest() {
        servedAt = server.loop.now
        server.loop.schedule(timer, after: Self.idleMax)
    }

    private func serve() {
        while onClose != nil, !wire.hasOutput {
            if isReadingBody {
                guard dropBody() else { return }
                isReadingBody = false
                answer()
                continue
            }
            if wire.hasInput {
                let input = wire.input
                do {
                    let outcome = try H1RequestParser.parse(
                        input.readable, into: request, limits: Self.limits, scanned: wire.scanned)
                    if case .complete(let count) = outcome {
                        wire.consumeHead(count)
                        wire.beginIncoming(request.framing)
                        isReadingBody = true
                        continue
                    }
                    wire.scanned = input.readableCount
                } catch {
                    closesAfterWriting = true
                    wire.discardInput()
                    request.reset()
                    return send(AdminResponse(status: error.status, text: "\(error.kind)\n"))
                }
            }
            switch wire.fill() {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    /// True when the request's body, if any, is over.
    private func dropBody() -> Bool {
        while true {
            wire.take(wire.payload.range.count)
            if wire.payloadDecoded > Self.bodyBytesMax {
                close()
                return false
            }
            switch wire.pull() {
            case .payload: continue
            case .complete: return true
            case .wouldBlock: return false
            case .failed:
                close()
                return false
            }
        }
    }

    private func answer() {
        awaitRequest()
        let request = self.request
        closesAfterWriting = !request.keepAlive
        let path = request.bytes(request.path).text
        let isRead = request.method == .get || request.method == .head
        let candidates = AdminRegistry.find(path)
        guard !candidates.isEmpty else {
            let known = AdminRegistry.endpoints.map { $0.paths[0] }.joined(separator: " ")
            return send(AdminResponse(status: 404, text: "no such page; there are: \(known)\n"))
        }
        let method: AdminMethod? = isRead ? .get : request.method == .post ? .post : nil
        guard let endpoint = candidates.first(where: { $0.method == method }) else {
            var refusal = AdminResponse(status: 405, text: "method not allowed\n")
            refusal.allow = candidates.map { $0.method == .post ? "POST" : "GET, HEAD" }.joined(separator: ", ")
            return send(refusal)
        }
        if endpoint.isLoopbackOnly, !isTrusted {
            return send(AdminResponse(status: 403, text: "for callers on loopback only\n"))
        }
        var accept = ""
        if let field = request.headers.first(named: ("accept" as StaticString).bytes) {
            let headers = request.headers
            accept = headers.value(of: field).text
        }
        let question = AdminRequest(path: path, query: request.bytes(request.query).text, accept: accept)
        send(endpoint.respond(question, server))
    }

    /// The caller is on this host and names it by an address or as localhost, so that no foreign page's name leads here.
    private var isTrusted: Bool {
        guard let ip = peer.ip else { return true }
        guard ip.isLoopback else { return false }
        let request = self.request
        let authority = request.bytes(request.authority).text
        let host =
            authority.hasPrefix("[")
            ? String(authority.prefix { $0 != "]" }.dropFirst())
            : String(authority.prefix { $0 != ":" })
        return host.isEmpty || host == "localhost" || IPAddress(host) != nil
    }

    private func send(_ answer: AdminResponse) {
        response.reset()
        response.status = answer.status
        response.framing = .length(UInt64(answer.body.readableCount))
        let headers = response.headers
        headers.append("Content-Type", answer.contentType)
        headers.append("Cache-Control", "no-store")
        if !answer.allow.isEmpty { headers.append("Allow", answer.allow) }
        headers.append("Content-Length", "\(answer.body.readableCount)")
        let output = wire.outputForWriting()
        H1Writer.writeResponse(
            response, framing: response.framing,
            connection: H1Writer.connection(keepAlive: !closesAfterWriting, for: request.version), into: output)
        if request.method != .head { output.append(answer.body.readable) }
        flush()
    }

    private func flush() {
        switch wire.flush() {
        case .blocked: break
        case .failed: close()
        case .drained: if closesAfterWriting { close() }
        }
    }

    func close() {
        guard let onClose else { return }
        self.onClose = nil
        server.loop.cancel(timer)
        wire.close()
        onClose()
    }
}

extension HeaderBlock {
    /// Adds a field with a value that is known to be valid.
    fileprivate func append(_ name: StaticString, _ value: String) {
        append(HeaderName(name.bytes), name.bytes) { $0.append(value) }
    }
}
