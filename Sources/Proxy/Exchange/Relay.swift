import Core
import HTTP
import IO

/// Moves one body from its source to its sink as far as both allow, and says what it waits for.
///
/// Reads only when all that was read has been taken: the source's one buffer is the back-pressure. Long plain bodies go
/// through a pipe of the kernel's instead, without being copied.
final class Relay {
    /// Reads and writes per turn, so that one fast body does not keep the others waiting.
    private static let stepsMax = 16

    /// A pipe in use while a body is spliced.
    private var pipe: Pipe?

    func run(from source: any BodySource, to sink: any BodySink, pipes: PipePool) -> RelayOutcome {
        var steps = 0
        while true {
            if pipe != nil || canSplice(source, sink), let from = source.wire, let to = sink.wire {
                switch splice(from: from, to: to, pipes: pipes) {
                case .copy: break
                case .done(let outcome): return outcome
                }
            }
            let (buffer, range) = source.payload
            if range.isEmpty, !source.isBodyDecoded {
                steps += 1
                if steps > Self.stepsMax { return flushed(sink) ?? .yielded }
                switch source.pull() {
                case .payload, .complete: continue
                case .wouldBlock: return flushed(sink) ?? .sourceBlocked
                case .failed(let failure): return .sourceFailed(failure)
                }
            }
            let ends = source.isBodyDecoded
            let trailers = ends ? source.trailers : nil
            let outcome = sink.push(buffer, range, ends: ends, trailers: trailers)
            if outcome.taken > 0 { source.take(outcome.taken) }
            switch outcome.state {
            case .failed(let error): return .sinkFailed(error)
            case .blocked: return .sinkBlocked
            case .drained:
                // Trailers, and the end of the chunks before them, are pushed after the last payload.
                let isLastPush = range.isEmpty || trailers == nil
                if ends, isLastPush, outcome.taken == range.count, source.payload.range.isEmpty { return .complete }
            }
        }
    }

    /// Gives the pipe back; one that still holds bytes is closed.
    func end(_ pipes: PipePool) {
        if let pipe { pipes.recycle(pipe) }
        pipe = nil
    }

    /// What is queued, a head for instance, must not wait for payload that is not there yet.
    private func flushed(_ sink: any BodySink) -> RelayOutcome? {
        switch sink.push(nil, 0..<0, ends: false, trailers: nil).state {
        case .drained: nil
        case .blocked: .sinkBlocked
        case .failed(let error): .sinkFailed(error)
        }
    }

    // MARK: Zero copy

    private enum SpliceOutcome {
        /// Go on by copying: the end is near, or there is no pipe.
        case copy
        case done(RelayOutcome)
    }

    private func canSplice(_ source: any BodySource, _ sink: any BodySink) -> Bool {
        source.spliceable >= Wire.spliceBytesMin && sink.acceptsSplice
    }

    private func splice(from source: Wire, to sink: Wire, pipes: PipePool) -> SpliceOutcome {
        guard let pipe = pipe ?? pipes.lease() else { return .copy }
        self.pipe = pipe
        for _ in 0..<Self.stepsMax {
            if pipe.count == 0 {
                let remaining = source.spliceable
                if remaining == 0 {
                    end(pipes)
                    return .copy
                }
                switch source.transport.splice(into: pipe, atMost: Int(min(remaining, UInt64(pipe.capacity)))) {
                case .bytes(let count): source.spliced(in: count)
                case .wouldBlock: return .done(.sourceBlocked)
                case .endOfStream:
                    // Whether the body may end here, its framing knows.
                    end(pipes)
                    return .copy
                case .failed(let error): return .done(.sourceFailed(.reset(error)))
                }
            }
            switch sink.transport.splice(from: pipe) {
            case .bytes(let count): sink.spliced(out: count)
            case .failed(let error): return .done(.sinkFailed(error))
            }
            if pipe.count > 0 { return .done(.sinkBlocked) }
        }
        return .done(.yielded)
    }
}
