import Core
import HTTP

/// libFuzzer's entry for chunked bodies. The first two bytes say where the input is cut, the rest is the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    let bytes = unsafe Span(_unsafeStart: data, count: count)
    let input = bytes.extracting(droppingFirst: 2)
    let cuts = [Int(bytes[0]) * input.count / 256, Int(bytes[1]) * input.count / 256].sorted()
    let whole = ChunkedBody(input, cuts: [], taking: true)
    precondition(ChunkedBody(input, cuts: cuts, taking: true) == whole, "taken in pieces at \(cuts)")
    precondition(ChunkedBody(input, cuts: cuts, taking: false) == whole, "left standing at \(cuts)")
    return 0
}

/// What a decoder makes of a body that comes in pieces.
struct ChunkedBody: Equatable {
    private var payload: [UInt8] = []
    private var trailers: [UInt8] = []
    private var rest: [UInt8] = []
    private var consumed = 0
    private var isDone = false
    private var error: HTTPError?

    /// `taking`: whether payload is taken after each step, or left standing in the buffer to the end.
    init(_ input: Span<UInt8>, cuts: [Int], taking: Bool) {
        let buffer = Buffer(capacity: 16)
        let block = HeaderBlock()
        var decoder = H1BodyDecoder(.chunked)
        var standing = 0
        var start = 0
        do throws(HTTPError) {
            for end in cuts + [input.count] {
                buffer.append(input.extracting(start..<end))
                start = end
                let run = try decoder.decode(in: buffer, from: standing, trailers: block)
                consumed += run.consumed
                standing += run.payloadCount
                guard taking else { continue }
                payload += Self.bytes(buffer.readable.extracting(first: standing))
                buffer.consume(standing)
                standing = 0
            }
        } catch {
            // How far a body got before its error depends on the cuts; the error must not.
            self = ChunkedBody(error)
            return
        }
        payload += Self.bytes(buffer.readable.extracting(first: standing))
        rest = Self.bytes(buffer.readable.extracting(droppingFirst: standing))
        let output = Buffer(capacity: 16)
        block.write(into: output)
        trailers = Self.bytes(output.readable)
        isDone = decoder.isDone
    }

    private init(_ error: HTTPError) { self.error = error }

    private static func bytes(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}
