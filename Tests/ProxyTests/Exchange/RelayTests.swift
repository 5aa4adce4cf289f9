import Core
import HTTP
import IO
import Testing

@testable import Proxy

@Suite struct RelayTests {
    private let relay = Relay()
    private let pipes = PipePool()
    private let text = Array("The quick brown fox jumps over the lazy dog.".utf8)

    private func run(_ source: SteppedSource, _ sink: NarrowSink) -> RelayOutcome {
        relay.run(from: source, to: sink, pipes: pipes)
    }

    @Test func everyPieceArrivesInOrderHoweverTheBodyIsCutAndHoweverLittleIsTaken() {
        for size in 1...text.count {
            for taken in 1...text.count {
                let starts = stride(from: 0, to: text.count, by: size)
                let source = SteppedSource(starts.map { .bytes(Array(text[$0...].prefix(size))) })
                let sink = NarrowSink(bytesPerPush: taken)
                var turns = 0
                var outcome = run(source, sink)
                while turns < 200, outcome == .sinkBlocked || outcome == .yielded {
                    turns += 1
                    outcome = run(source, sink)
                }
                #expect(outcome == .complete)
                #expect(sink.received == text)
                #expect(sink.isEnded)
            }
        }
    }

    @Test func nothingIsPulledWhileTheSinkTakesNothing() {
        let source = SteppedSource([.bytes([1, 2, 3]), .bytes([4])])
        let sink = NarrowSink(bytesPerPush: 0)
        for _ in 0..<3 { #expect(run(source, sink) == .sinkBlocked) }
        #expect(source.pulls == 1)
        sink.bytesPerPush = 8
        #expect(run(source, sink) == .complete)
        #expect(sink.received == [1, 2, 3, 4])
    }

    @Test func whatHasComeLeavesBeforeTheSourceIsWaitedFor() {
        let source = SteppedSource([.bytes([1]), .nothing, .bytes([2])])
        let sink = NarrowSink(bytesPerPush: 8)
        #expect(run(source, sink) == .sourceBlocked)
        #expect(sink.received == [1])
        #expect(!sink.isEnded)
        #expect(run(source, sink) == .complete)
        #expect(sink.received == [1, 2])
    }

    @Test func aBodyThatNeverPausesGivesWayToOthers() {
        let source = SteppedSource((0..<100).map { .bytes([$0]) })
        let sink = NarrowSink(bytesPerPush: 8)
        #expect(run(source, sink) == .yielded)
        #expect(sink.received.count < 100)
    }

    @Test func theEndIsSaidWithTheLastPayloadNotAfterIt() {
        let source = SteppedSource([.bytes([1]), .bytes([2])])
        let sink = NarrowSink(bytesPerPush: 8)
        #expect(run(source, sink) == .complete)
        #expect(sink.pushes == 2)
    }

    @Test func aBrokenSourceAndABrokenSinkAreToldApart() {
        let reset = IOError("recv", errno: 104)
        #expect(
            run(SteppedSource([.bytes([1]), .failure(.reset(reset))]), NarrowSink(bytesPerPush: 8))
                == .sourceFailed(.reset(reset)))
        #expect(
            run(SteppedSource([.bytes([1]), .failure(.closed)]), NarrowSink(bytesPerPush: 8)) == .sourceFailed(.closed))
        let broken = NarrowSink(bytesPerPush: 8)
        broken.failure = reset
        #expect(run(SteppedSource([.bytes([1])]), broken) == .sinkFailed(reset))
    }
}

/// A body that comes as its script says, a step for each pull.
private final class SteppedSource: BodySource {
    enum Step {
        case bytes([UInt8])
        /// There is nothing for now.
        case nothing
        case failure(BodyFailure)
    }

    private var steps: ArraySlice<Step>
    private let buffer = Buffer(capacity: 64)
    private(set) var pulls = 0

    init(_ steps: [Step]) { self.steps = steps[...] }

    let wire: Wire? = nil
    let spliceable: UInt64 = 0
    let trailers: HeaderBlock? = nil
    let payloadDecoded: UInt64 = 0
    let canRewind = false
    var payload: (buffer: Buffer?, range: Range<Int>) { (buffer, buffer.readerIndex..<buffer.writerIndex) }
    var isBodyDecoded: Bool { steps.isEmpty }

    func pull() -> PullOutcome {
        pulls += 1
        switch steps.popFirst() {
        case .bytes(let bytes):
            buffer.append(bytes.span)
            return .payload
        case .nothing: return .wouldBlock
        case .failure(let failure): return .failed(failure)
        case nil: return .complete
        }
    }

    func take(_ count: Int) { buffer.consume(count) }
    func rewind() {}
    func releaseHeld() {}
    func resumeNextTurn() {}
}

/// Takes so many bytes of each push and then no more for that time.
private final class NarrowSink: BodySink {
    var bytesPerPush: Int
    var failure: IOError?
    private(set) var received: [UInt8] = []
    private(set) var pushes = 0
    private(set) var isEnded = false

    init(bytesPerPush: Int) { self.bytesPerPush = bytesPerPush }

    let wire: Wire? = nil
    let acceptsSplice = false
    var payloadWritten: UInt64 { UInt64(received.count) }

    func push(_ buffer: Buffer?, _ range: Range<Int>, ends: Bool, trailers: HeaderBlock?) -> PushOutcome {
        if let failure { return PushOutcome(taken: 0, state: .failed(failure)) }
        guard let buffer, !range.isEmpty else { return PushOutcome(taken: 0, state: .drained) }
        pushes += 1
        let taken = min(range.count, bytesPerPush)
        let bytes = buffer.bytes(range.lowerBound..<range.lowerBound + taken)
        for index in bytes.indices { received.append(bytes[index]) }
        let isDrained = taken == range.count
        isEnded = ends && isDrained
        return PushOutcome(taken: taken, state: isDrained ? .drained : .blocked)
    }
}
