import Core
import HTTP

/// A session must come to the same end however its bytes arrive, and what it takes for a request must be one in HTTP/1.
enum SessionAgreement {
    private static var limits: H2Limits {
        var limits = H2Limits()
        limits.streamsMax = 8
        limits.streamWindow = 1000
        limits.headBytesMax = 4096
        limits.fieldsMax = 32
        return limits
    }

    /// `data`: the first byte says where the input is cut, the rest follows the preface and SETTINGS of the peer.
    static func check(_ role: H2Session.Role, _ data: Span<UInt8>) {
        guard data.count > 1 else { return }
        let input = data.extracting(droppingFirst: 1)
        let cut = Int(data[0]) * input.count / 256
        let whole = outcome(role, input, cut: nil)
        let parts = outcome(role, input, cut: cut)
        precondition(whole == parts, "whole: \(whole), cut at \(cut): \(parts)")
    }

    /// One header block of a request, on a stream that ends with it or goes on. The first byte says which.
    static func checkFields(_ data: Span<UInt8>) {
        guard data.count > 1, data.count < 16_000 else { return }
        let session = H2Session(.server, limits: limits)
        let input = Buffer(capacity: 64)
        begin(session, input)
        let block = data.extracting(droppingFirst: 1)
        let flags: [UInt8] = [UInt8(block.count >> 16), UInt8(block.count >> 8 & 255), UInt8(block.count & 255), 1]
        input.append(flags.span)
        input.append(data[0] & 1 | 4)
        input.append(([0, 0, 0, 1] as [UInt8]).span)
        input.append(block)
        guard case .head(let slot, isNew: true, ends: let ends) = session.next(input, now: .zero) else {
            preconditionFailure("a whole block is a head")
        }
        let head = RequestHead()
        guard (try? session.decodeRequest(slot, into: head)) != nil else { return }
        precondition(ends == (head.framing == .none))
        rewrite(head)
    }

    private static func begin(_ session: H2Session, _ input: Buffer) {
        session.start()
        if session.role == .server { input.append("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") }
        input.append(([0, 0, 0, 4, 0, 0, 0, 0, 0] as [UInt8]).span)
        precondition(session.next(input, now: .zero) == .settings)
        precondition(session.next(input, now: .zero) == .needMore)
    }

    /// What a request becomes in HTTP/1 must be understood there as the same, and as one request.
    private static func rewrite(_ head: RequestHead) {
        head.headers.removeHopByHop()
        let output = Buffer(capacity: 64)
        let upgrade: ConnectionOptions = head.isExtendedConnect ? .upgrade : []
        let framing = head.isExtendedConnect ? .none : head.framing
        H1Writer.writeRequest(head, framing: framing, connection: upgrade, into: output)
        let again = RequestHead()
        let roomy = HeadLimits(startLineBytesMax: 32_768, headBytesMax: 65_536, fieldsMax: 64)
        let outcome = try? H1RequestParser.parse(output.readable, into: again, limits: roomy, scanned: 0)
        precondition(outcome == .complete(output.readableCount), "not understood again: \(output.readable.text)")
        let sameMethod = again.method == (head.isExtendedConnect ? .get : head.method)
        precondition(sameMethod && again.framing == framing, "changed: \(output.readable.text)")
    }

    /// Events as text, payload of one stream in a row as one.
    private static func outcome(_ role: H2Session.Role, _ bytes: Span<UInt8>, cut: Int?) -> [String] {
        let session = H2Session(role, limits: limits)
        let input = Buffer(capacity: 16)
        begin(session, input)
        var events: [String] = []
        var payload: (slot: Int, count: Int)?
        if role == .client { openStreams(session) }
        func note(_ event: String) {
            if let last = payload { events.append("data \(last)") }
            payload = nil
            events.append(event)
        }
        func drain() {
            while true {
                let event = session.next(input, now: .zero)
                switch event {
                case .needMore: return
                case .failed: return note("\(event)")
                case .data(let slot, let range, let ends):
                    let before = payload?.slot == slot ? payload?.count ?? 0 : 0
                    if let last = payload, last.slot != slot { events.append("data \(last)") }
                    payload = (slot, before + range.count)
                    session.consumed(slot, range.count)
                    if ends { note("end \(slot)") }
                case .head(let slot, let isNew, let ends):
                    note("head \(slot) \(isNew) \(ends) \(decode(session, slot, isNew: isNew))")
                case .reset(let slot, _), .streamFailed(let slot, _, _), .refused(let slot):
                    note("\(event)")
                    session.close(slot, .cancel)
                default: note("\(event)")
                }
            }
        }
        if let cut {
            input.append(bytes.extracting(first: cut))
            drain()
            input.append(bytes.extracting(droppingFirst: cut))
        } else {
            input.append(bytes)
        }
        if session.violation == nil { drain() }
        if let last = payload { events.append("data \(last)") }
        return events
    }

    private static func openStreams(_ session: H2Session) {
        let head = RequestHead()
        let text: StaticString = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let roomy = HeadLimits(startLineBytesMax: 1024, headBytesMax: 4096, fieldsMax: 64)
        _ = try? H1RequestParser.parse(text.bytes, into: head, limits: roomy, scanned: 0)
        for _ in 0..<4 { session.queueRequest(session.open(), head, isSecure: true, ends: false) }
    }

    /// Decodes what waits; what is malformed closes its stream, and every other request is answered.
    private static func decode(_ session: H2Session, _ slot: Int, isNew: Bool) -> String {
        do throws(HTTPError) {
            if !isNew {
                let block = HeaderBlock()
                try session.decodeTrailers(slot, into: block)
                return "\(block.fields.count)"
            }
            let response = ResponseHead()
            if session.role == .client {
                try session.decodeResponse(slot, into: response, method: .get)
                return "\(response.status) \(response.framing)"
            }
            let head = RequestHead()
            try session.decodeRequest(slot, into: head)
            rewrite(head)
            if session.id(of: slot) & 2 == 0 {
                response.status = 200
                session.queueResponse(slot, response, ends: true)
                session.close(slot, .noError)
            }
            return "\(head.framing) \(head.headers.fields.count)"
        } catch {
            session.close(slot, .protocolError)
            return error.kind
        }
    }
}
