package import Core
import HTTP
package import IO

/// Asks the admin port of a running sidecar: what `sidecar wait`, `healthcheck`, `drain` and `quit` are made of.
///
/// One request, waited for on the calling thread.
package enum AdminClient {
    package struct Answer: Sendable {
        package let status: UInt16
        package let body: String
    }

    /// An admin port's address: `ip:port`, or a port on this host.
    package static func address(_ text: String) -> SocketAddress? {
        UInt16(text).map { .ip(.loopbackV4, port: $0) } ?? SocketAddress(text)
    }

    /// Asks again and again until the answer is yes, at most for `timeoutMs`; whether it came to that.
    package static func poll(timeoutMs: Int, _ isDone: () throws -> Bool) throws -> Bool {
        let loop = try EventLoop()
        let deadline = loop.now.advanced(by: .milliseconds(timeoutMs))
        while true {
            if try isDone() { return true }
            loop.turn(waitMs: 50)
            if loop.now >= deadline { return false }
        }
    }

    /// Sends the request and waits at most `timeout` for the whole answer.
    package static func ask(_ method: StaticString, _ path: String, at address: SocketAddress, timeout: Duration)
        throws(IOError) -> Answer
    {
        let loop = try EventLoop()
        let exchange = AdminQuestion(loop: loop)
        try exchange.start(method, path, at: address)
        let deadline = loop.now.advanced(by: timeout)
        while exchange.result == nil, loop.now < deadline { loop.turn(waitMs: 20) }
        exchange.close()
        switch exchange.result {
        case .success(let answer): return answer
        case .failure(let error): throw error
        case nil: throw IOError.timedOut("waiting for an answer")
        }
    }
}

private final class AdminQuestion: EventHandler {
    private let loop: EventLoop
    private var wire: Wire?
    private let response = ResponseHead()
    private var isHeadRead = false
    private var isConnected = false
    private var body = ""
    private(set) var result: Result<AdminClient.Answer, IOError>?

    init(loop: EventLoop) { self.loop = loop }

    func start(_ method: StaticString, _ path: String, at address: SocketAddress) throws(IOError) {
        let transport = Transport(try Socket.connect(to: address), loop: loop)
        try transport.attach(self)
        let wire = Wire(transport: transport, buffers: BufferPool(idleMax: 0))
        self.wire = wire
        let output = wire.outputForWriting()
        output.append(method)
        output.append(" \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    }

    func close() { wire?.close() }

    func ready(_ readiness: Readiness) {
        guard let wire, result == nil else { return }
        wire.transport.note(readiness)
        if !isConnected {
            if let error = Socket.connectError(of: wire.transport.rawDescriptor) { return finish(.failure(error)) }
            isConnected = true
        }
        if wire.hasOutput, case .failed(let error) = wire.flush() { return finish(.failure(error)) }
        read(wire)
    }

    private func read(_ wire: Wire) {
        while !isHeadRead {
            if wire.hasInput {
                let input = wire.input
                let limits = HeadLimits(startLineBytesMax: 4096, headBytesMax: 16 * 1024, fieldsMax: 64)
                guard
                    let outcome = try? H1ResponseParser.parse(
                        input.readable, into: response, requestMethod: .get, limits: limits, scanned: wire.scanned)
                else { return finish(.failure(.unexpected("reading the answer"))) }
                if case .complete(let count) = outcome {
                    wire.consumeHead(count)
                    wire.beginIncoming(response.framing)
                    isHeadRead = true
                    break
                }
                wire.scanned = input.readableCount
            }
            switch wire.fill() {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream: return finish(.failure(.unexpected("reading the answer")))
            case .failed(let error): return finish(.failure(error))
            }
        }
        while true {
            let (buffer, range) = wire.payload
            if let buffer { body += buffer.bytes(range).text }
            wire.take(range.count)
            switch wire.pull() {
            case .payload: continue
            case .wouldBlock: return
            case .complete: return finish(.success(AdminClient.Answer(status: response.status, body: body)))
            case .failed: return finish(.failure(.unexpected("reading the answer")))
            }
        }
    }

    private func finish(_ result: Result<AdminClient.Answer, IOError>) { self.result = result }
}
