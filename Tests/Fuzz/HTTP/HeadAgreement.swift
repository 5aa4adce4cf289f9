import Core
import HTTP

/// A head must come to the same end however its bytes arrive, and what is written of it must be understood again.
enum HeadAgreement {
    /// What parsing came to, as plain bytes that can be compared.
    enum Outcome: Equatable {
        case complete(Int, [UInt8])
        case needMore
        case failed(HTTPError)
    }

    typealias Parse = (Span<UInt8>, Int) -> Outcome

    private static let limits = HeadLimits(startLineBytesMax: 512, headBytesMax: 2048, fieldsMax: 32)

    static func check(_ data: Span<UInt8>, parse: Parse) {
        guard data.count > 1 else { return }
        let input = data.extracting(droppingFirst: 1)
        let cut = Int(data[0]) * input.count / 256
        let whole = parse(input, 0)
        let part = parse(input.extracting(first: cut), 0)
        // Decided early means decided alike.
        if part != .needMore {
            precondition(part == whole, "cut at \(cut): \(part), whole: \(whole)")
            return
        }
        let continued = parse(input, cut)
        // Later passes look at new bytes only, so what was wrong before may wait for the head's end.
        if case .failed = whole, continued == .needMore { return }
        precondition(continued == whole, "continued at \(cut): \(continued), whole: \(whole)")
    }

    static func request(_ input: Span<UInt8>, scanned: Int) -> Outcome {
        let head = RequestHead()
        do throws(HTTPError) {
            guard
                case .complete(let count) = try H1RequestParser.parse(
                    input, into: head, limits: limits, scanned: scanned)
            else { return .needMore }
            return .complete(count, rewritten(head))
        } catch {
            return .failed(error)
        }
    }

    static func response(_ input: Span<UInt8>, scanned: Int) -> Outcome {
        let head = ResponseHead()
        do throws(HTTPError) {
            guard
                case .complete(let count) = try H1ResponseParser.parse(
                    input, into: head, requestMethod: .get, limits: limits, scanned: scanned)
            else { return .needMore }
            return .complete(count, rewritten(head))
        } catch {
            return .failed(error)
        }
    }

    /// The head as the proxy would send it on. What it sends must be a whole head with the same framing.
    private static func rewritten(_ head: RequestHead) -> [UInt8] {
        head.headers.removeHopByHop()
        let output = Buffer(capacity: 64)
        H1Writer.writeRequest(head, framing: head.framing, into: output)
        let again = RequestHead()
        // A line that the writer adds may take it past the limits of what was received.
        let roomy = HeadLimits(startLineBytesMax: 1024, headBytesMax: 8192, fieldsMax: 64)
        let outcome = try? H1RequestParser.parse(output.readable, into: again, limits: roomy, scanned: 0)
        precondition(outcome == .complete(output.readableCount), "not understood again: \(output.readable.text)")
        precondition(again.framing == head.framing && again.method == head.method, "changed: \(output.readable.text)")
        return bytes(
            of: output,
            "\(head.keepAlive) \(head.expectsContinue) \(head.targetForm) \(head.connection.rawValue)")
    }

    private static func rewritten(_ head: ResponseHead) -> [UInt8] {
        head.headers.removeHopByHop()
        let output = Buffer(capacity: 64)
        H1Writer.writeResponse(head, framing: head.framing, into: output)
        let again = ResponseHead()
        let roomy = HeadLimits(startLineBytesMax: 1024, headBytesMax: 8192, fieldsMax: 64)
        let outcome = try? H1ResponseParser.parse(
            output.readable, into: again, requestMethod: .get, limits: roomy, scanned: 0)
        precondition(outcome == .complete(output.readableCount), "not understood again: \(output.readable.text)")
        precondition(again.framing == head.framing && again.status == head.status, "changed: \(output.readable.text)")
        return bytes(of: output, "\(head.keepAlive) \(head.keepAliveTimeoutSeconds ?? 0) \(head.connection.rawValue)")
    }

    private static func bytes(of output: Buffer, _ facts: String) -> [UInt8] {
        let readable = output.readable
        return readable.indices.map { readable[$0] } + Array(facts.utf8)
    }
}
