import Core
import Testing

@testable import HTTP

/// What costs a peer nothing and this side something has an end (RFC 9113 §10.5).
@Suite struct H2FloodTests {
    private typealias W = H2Wire

    private static var limits: H2Limits {
        var limits = H2Limits()
        limits.resetsMax = 5
        limits.pingsMax = 5
        limits.settingsMax = 5
        limits.emptyFramesMax = 5
        limits.windowUpdatesMax = 5
        limits.prioritiesMax = 5
        limits.streamsMax = 2
        return limits
    }

    private func server(_ limits: H2Limits = limits) -> H2Owner {
        let owner = H2Owner(.server, limits: limits)
        owner.now = Instant(nanoseconds: 1_000_000_000)
        owner.feed(W.preface + W.settings())
        return owner
    }

    /// Five are borne, the sixth ends the connection; and six are borne when time passes between them.
    private func check(
        _ violation: H2Violation, before: [UInt8] = [], allowed: Int = 5, _ flood: (UInt32) -> [UInt8]
    ) {
        let owner = server()
        owner.feed(before)
        for index in 0..<UInt32(allowed) {
            owner.feed(flood(index))
            #expect(owner.session.violation == nil, "\(violation) at \(index)")
        }
        owner.feed(flood(UInt32(allowed)))
        #expect(owner.session.violation == violation)
        #expect(owner.sent.last?.hasSuffix(" enhanceYourCalm \(violation.word)") == true)

        let patient = server()
        patient.feed(before)
        for index in 0...UInt32(allowed) {
            if index == UInt32(allowed) / 2 { patient.now = patient.now.advanced(by: .seconds(10)) }
            patient.feed(flood(index))
        }
        #expect(patient.session.violation == nil, "\(violation)")
    }

    @Test func streamsThatAreOpenedAndReset() { check(.rapidReset) { W.headers($0 * 2 + 1) + W.reset($0 * 2 + 1) } }

    @Test func streamsThatMakeUsResetThem() {
        check(.rapidReset) { W.headers($0 * 2 + 1, ends: true) + W.data($0 * 2 + 1, "x") }
    }

    @Test func streamsBeyondTheLimit() {
        let acknowledgement = W.frame(4, 1, 0, [])
        check(.rapidReset, before: acknowledgement + W.headers(1) + W.headers(3)) { W.headers($0 * 2 + 5, ends: true) }
    }

    @Test func streamsBeyondALimitThatTheClientCannotKnowAreBorne() {
        let owner = server()
        for index in 0..<UInt32(100) { owner.feed(W.headers(index * 2 + 1, ends: true)) }
        #expect(owner.session.violation == nil)
        #expect(owner.sent.contains("RST_STREAM 199 refusedStream"))
    }

    @Test func resetsOfStreamsThatHaveTheirResponseAreBorne() {
        let owner = server()
        for index in 0..<UInt32(100) {
            owner.feed(W.headers(index * 2 + 1, ends: true))
            let head = ResponseHead()
            head.status = 200
            let slot = owner.slots[index * 2 + 1] ?? -1
            owner.session.queueResponse(slot, head, ends: true)
            owner.session.close(slot, .noError)
            owner.feed(W.reset(index * 2 + 1))
        }
        #expect(owner.session.violation == nil)
    }

    @Test func pings() { check(.pingFlood) { _ in W.ping() } }

    @Test func answersThatNobodyAskedFor() { check(.pingFlood) { _ in W.frame(6, 1, 0, Array("12345678".utf8)) } }

    @Test func settings() { check(.settingsFlood, allowed: 4) { _ in W.settings() } }

    @Test func emptyData() { check(.emptyFrameFlood, before: W.headers(1, W.post)) { _ in W.data(1) } }

    @Test func paddingWithoutData() {
        check(.emptyFrameFlood, before: W.headers(1, W.post)) { _ in W.padded(1, "", padding: 3) }
    }

    @Test func unknownFrames() { check(.emptyFrameFlood) { _ in W.frame(99, 0, 0, [1, 2, 3]) } }

    @Test func priorities() { check(.priorityFlood) { W.priority($0 + 1) } }

    @Test func priorityUpdates() { check(.priorityFlood) { W.frame(16, 0, 0, W.number($0 + 1)) } }

    @Test func windowUpdates() { check(.windowUpdateFlood) { _ in W.window(0, 1) } }

    @Test func windowUpdatesThatAnswerDataAreBorne() {
        let owner = server()
        owner.feed(W.headers(1, ends: true))
        let head = ResponseHead()
        head.status = 200
        owner.session.queueResponse(owner.slots[1] ?? -1, head, ends: false)
        _ = owner.session.queueData(owner.slots[1] ?? -1, ("x" as StaticString).bytes, ends: false)
        // Five, and 32 for each of the two frames.
        for _ in 0..<69 { owner.feed(W.window(0, 1)) }
        #expect(owner.session.violation == nil)
        owner.feed(W.window(0, 1))
        #expect(owner.session.violation == .windowUpdateFlood)
    }

    @Test func answersThatNobodyReads() {
        var limits = H2Limits()
        limits.controlBytesMax = 1000
        limits.pingsMax = 10_000
        let session = H2Session(.server, limits: limits)
        let input = Buffer(capacity: 64)
        session.start()
        input.append((W.preface + W.settings()).span)
        _ = session.next(input, now: .zero)
        var event = H2Session.Event.needMore
        var pings = 0
        while event == .needMore, pings < 1000 {
            input.append(W.ping().span)
            event = session.next(input, now: .zero)
            pings += 1
        }
        #expect(event == .failed(.ackFlood) && pings < 65)
        #expect(session.output.readableCount < 1100)
        // One who reads is answered for ever.
        let owner = server(limits)
        for _ in 0..<200 { owner.feed(W.ping()) }
        #expect(owner.session.violation == nil)
    }

    @Test func aServersResetsAreNoFlood() {
        let owner = H2Owner(.client, limits: Self.limits)
        owner.feed(W.settings())
        for index in 0..<20 as Range<UInt32> {
            owner.request()
            owner.feed(W.reset(index * 2 + 1))
        }
        #expect(owner.session.violation == nil && owner.session.streamsOpen == 0)
    }
}
