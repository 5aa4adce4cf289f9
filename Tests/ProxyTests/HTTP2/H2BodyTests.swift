import Config
import Core
import IO
import Testing
import Traffic

@testable import HTTP
@testable import Proxy

/// A stream's bodies on a real session without a peer: frames are put into the connection's input by hand.
@Suite final class H2BodyTests {
    private let worker: Worker
    private let link: H2Link
    private let body: H2Body
    private let slot: Int
    private let mailbox: Mailbox<WorkerMessage>
    private let accessLog: AccessLogWriter
    private let scratch = ScratchDirectory()
    private let text = Array("The quick brown fox jumps over the lazy dog.".utf8)

    init() throws {
        var log = AccessLogConfiguration()
        log.path = .file(scratch.path + "/log")
        let configuration = Configuration()
        let names = MetricsNames(configuration)
        mailbox = try Mailbox()
        accessLog = try AccessLogWriter(log)
        worker = try Worker(
            Worker.Setup(
                index: 0, workerCount: 1, configuration: configuration, routes: try RouteTable(configuration),
                tls: try TLSContexts(configuration), metrics: WorkerMetrics(names: names, seriesMax: 4),
                failures: FailureRing(), accessLog: accessLog, names: names, mailbox: mailbox,
                main: try Mailbox()),
            sockets: [])
        let listening = try ScriptedUpstream()
        let transport = Transport(try Socket.connect(to: listening.address), loop: worker.loop)
        link = H2Link(transport, .server, limits: H2Limits(), worker: worker)
        link.queue.start()
        worker.buffers.lend(to: link.input)
        // A POST to /, as literals of the static table.
        let block: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x61]
        link.input.append(
            (Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, [])
                + Self.frame(1, 4, 1, block)).span)
        var found = -1
        let head = RequestHead()
        while case let event = link.next(), event != .needMore {
            guard case .head(let slot, _, _) = event else { continue }
            try link.session.decodeRequest(slot, into: head)
            found = slot
        }
        slot = found
        body = H2Body(link)
    }

    deinit {
        body.end()
        link.close()
        // A worker lets go of itself when it has run.
        mailbox.post(.stop)
        worker.run()
        #expect(worker.buffers.lent == 0)
        #expect(accessLog.finish(nanosecondsMax: 10_000_000_000))
    }

    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), kind, flags, 0, 0, 0, stream] + payload
    }

    /// Has payload come, runs `body` within its event, and ends it.
    private func receive(_ payload: [UInt8], ends: Bool = false, _ during: () -> Void = {}) {
        worker.buffers.lend(to: link.input)
        link.input.append(Self.frame(0, ends ? 1 : 0, 1, payload).span)
        guard case .data(_, let range, let isLast) = link.next() else {
            Issue.record("no payload came")
            return
        }
        body.received(range, ends: isLast)
        during()
        body.settle()
        #expect(link.next() == .needMore)
    }

    private var waiting: [UInt8] {
        guard let buffer = body.payload.buffer else { return [] }
        let bytes = buffer.bytes(body.payload.range)
        return bytes.indices.map { bytes[$0] }
    }

    /// Payload that came and for which the stream's window was not given back.
    private var uncredited: Int { link.session.streams[slot].unconsumed }

    @Test func payloadIsPassedOnFromTheInputWithoutACopy() {
        body.begin(slot: slot, holding: false)
        let before = worker.buffers.lent
        receive(text) {
            #expect(body.payload.buffer === link.input)
            #expect(waiting == text)
            body.take(text.count)
        }
        #expect(body.payload.range.isEmpty && body.pull() == .wouldBlock)
        #expect(uncredited == 0 && worker.buffers.lent == before)
    }

    @Test func whatIsNotTakenWithinItsEventIsKeptInOrder() {
        body.begin(slot: slot, holding: false)
        let before = worker.buffers.lent
        receive(Array(text[..<20])) { body.take(5) }
        #expect(waiting == Array(text[5..<20]) && uncredited == 15)
        receive(Array(text[20...]), ends: true) {
            #expect(waiting == Array(text[5..<20]) || waiting == Array(text[5...]))
        }
        #expect(waiting == Array(text[5...]))
        #expect(worker.buffers.lent == before + 1)
        body.take(30)
        #expect(waiting == Array(text[35...]))
        body.take(text.count - 35)
        #expect(uncredited == 0 && worker.buffers.lent == before)
        #expect(body.pull() == .complete && body.isBodyDecoded)
        #expect(body.payloadTaken == UInt64(text.count) && body.payloadDecoded == UInt64(text.count))
    }

    @Test func whatIsHeldCanBeTakenAgainAndIsCreditedOnce() {
        body.begin(slot: slot, holding: true)
        receive(text)
        body.take(30)
        #expect(uncredited == text.count - 30 && body.canRewind)
        body.rewind()
        #expect(waiting == text)
        body.take(20)
        #expect(uncredited == text.count - 30)
        body.rewind()
        body.take(40)
        #expect(uncredited == text.count - 40)
        receive(text, ends: true)
        #expect(waiting == Array(text[40...]) + text)
        body.rewind()
        #expect(waiting == text + text)
        body.take(2 * text.count)
        #expect(uncredited == 0 && body.pull() == .complete)
        body.rewind()
        #expect(body.pull() == .payload && waiting == text + text)
    }

    @Test func whatIsReleasedCannotBeTakenAgain() {
        body.begin(slot: slot, holding: true)
        receive(text)
        body.take(10)
        body.rewind()
        body.take(4)
        body.releaseHeld()
        #expect(!body.canRewind)
        #expect(waiting == Array(text[4...]))
        // Six of the rest were credited before.
        #expect(uncredited == text.count - 10)
        body.take(text.count - 4)
        #expect(uncredited == 0)
        body.end()
    }

    @Test func moreThanAFewKibibytesIsNotHeld() {
        body.begin(slot: slot, holding: true)
        let piece = [UInt8].pattern(6000)
        for _ in 0..<2 {
            receive(piece) { body.take(piece.count) }
        }
        #expect(body.canRewind)
        receive(piece) {
            #expect(!body.canRewind)
            #expect(waiting == piece)
            body.take(piece.count)
        }
        #expect(uncredited == 0)
    }

    @Test func everyByteIsCreditedOnceWhateverIsTakenReleasedAndRewound() {
        for seed in UInt64(0)..<50 {
            var random = Random(seed: seed)
            body.begin(slot: slot, holding: seed % 3 > 0)
            var received: [UInt8] = []
            // Where the next byte to be taken stands.
            var position = 0
            for step in 0..<200 {
                switch random.next() % 8 {
                case 0, 1, 2:
                    let piece = Array([UInt8].pattern(64).prefix(Int(random.next() % 64) + 1)).map { $0 ^ UInt8(step) }
                    let first = Int(random.next() % 80)
                    received += piece
                    receive(piece) {
                        let count = min(first, body.payload.range.count)
                        body.take(count)
                        position += count
                    }
                case 3, 4, 5:
                    let count = Int(random.next() % UInt64(body.payload.range.count + 1))
                    body.take(count)
                    position += count
                case 6 where body.canRewind:
                    body.rewind()
                    position = 0
                case 7 where step > 150: body.releaseHeld()
                default: break
                }
                #expect(waiting == Array(received[position...]))
                #expect(uncredited <= received.count - position)
            }
            body.take(body.payload.range.count)
            #expect(uncredited == 0)
            body.end()
        }
    }

    @Test func aFailureComesAfterThePayloadBeforeIt() {
        body.begin(slot: slot, holding: false)
        receive(text)
        body.failed(.closed)
        body.failed(.malformed(.contentLengthMismatch))
        #expect(body.pull() == .payload)
        body.take(text.count)
        #expect(body.pull() == .failed(.closed))
    }

    @Test func theEndGivesEverythingBackAndTheNextStreamBeginsAfresh() {
        body.begin(slot: slot, holding: true)
        let before = worker.buffers.lent
        receive(text)
        body.take(10)
        body.rewind()
        body.failed(.closed)
        body.trailersForReading().append(("x-a" as StaticString).bytes, ("1" as StaticString).bytes)
        #expect(body.trailers != nil)
        body.end()
        #expect(worker.buffers.lent == before)
        body.begin(slot: slot, holding: false)
        #expect(body.pull() == .wouldBlock && body.trailers == nil)
        #expect(body.payloadDecoded == 0 && body.payloadTaken == 0 && body.bytesQueued == 0)
        receive([1, 2, 3])
        let left = uncredited
        body.take(3)
        #expect(uncredited == left - 3)
    }

    @Test func payloadPastTheWindowWaitsWithItsSource() {
        body.begin(slot: slot, holding: false)
        let response = ResponseHead()
        response.status = 200
        body.queue(response, ends: false)
        let buffer = Buffer(capacity: 100_000)
        buffer.append([UInt8](repeating: 1, count: 80_000).span)
        var outcome = body.push(buffer, 0..<40_000, ends: false, trailers: nil)
        #expect(outcome.taken == 40_000 && outcome.state == .drained && !body.isBlocked)
        // A window of 65,535 bytes, less those.
        outcome = body.push(buffer, 40_000..<80_000, ends: true, trailers: nil)
        #expect(outcome.taken == 25_535 || outcome.taken == 0)
        #expect(outcome.state == .blocked && body.isBlocked && !body.isEnded)
        #expect(body.payloadWritten == UInt64(40_000 + outcome.taken))
    }

    @Test func whatComesAfterTheEndGoesNowhere() {
        body.begin(slot: slot, holding: false)
        let response = ResponseHead()
        response.status = 204
        body.queue(response, ends: true)
        let queued = link.session.output.readableCount
        let buffer = Buffer(capacity: 8)
        buffer.append("late")
        #expect(body.push(buffer, 0..<4, ends: true, trailers: nil).taken == 4)
        #expect(body.payloadWritten == 0 && link.session.output.readableCount == queued)
    }
}
