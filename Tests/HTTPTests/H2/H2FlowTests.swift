import Core
import Testing

@testable import HTTP

/// Windows in both directions and at both levels (RFC 9113 §6.9).
@Suite struct H2FlowTests {
    private typealias W = H2Wire

    private func server(streamWindow: Int = 1000, connectionWindow: Int = 65_535, settings: [(UInt16, UInt32)] = [])
        -> H2Owner
    {
        var limits = H2Limits()
        limits.streamWindow = streamWindow
        limits.connectionWindow = connectionWindow
        let owner = H2Owner(.server, limits: limits)
        owner.feed(W.preface + W.settings(settings) + W.settingsAck)
        return owner
    }

    private func windows(_ owner: H2Owner) -> [String] { owner.sent.filter { $0.hasPrefix("WINDOW_UPDATE") } }

    private func queue(_ owner: H2Owner, _ slot: Int, count: Int, ends: Bool = false) -> Int {
        let bytes = [UInt8](repeating: 0x78, count: count)
        defer { owner.collect() }
        return owner.session.queueData(slot, bytes.span, ends: ends)
    }

    // MARK: Receiving

    @Test func bothSidesSayAtOnceWhatTheyGrant() {
        let server = H2Owner(.server)
        server.collect()
        #expect(server.sent == ["SETTINGS 3=100 8=1 4=65536 6=65536", "WINDOW_UPDATE 0 983041"])
        let client = H2Owner(.client)
        client.collect()
        #expect(client.sent == ["preface", "SETTINGS 2=0 4=65536 6=65536", "WINDOW_UPDATE 0 983041"])
    }

    @Test func aStreamsWindowIsGivenBackWhenHalfOfItWasConsumed() {
        let owner = server()
        owner.consumes = false
        owner.feed(W.headers(1, W.post) + W.data(1, count: 800))
        let slot = owner.slots[1] ?? -1
        owner.session.consumed(slot, 499)
        owner.collect()
        #expect(windows(owner).isEmpty)
        owner.session.consumed(slot, 1)
        owner.collect()
        #expect(windows(owner) == ["WINDOW_UPDATE 1 500"])
        // 200 were left, 500 more were granted.
        owner.feed(W.data(1, count: 700))
        #expect(owner.events.last == "data 1 1500")
        owner.feed(W.data(1, count: 1))
        #expect(owner.events.last == "failed 1 flowControlError flowControlExceeded")
    }

    @Test func anEndedStreamIsGivenNothingBack() {
        let owner = server()
        owner.feed(W.headers(1, W.post) + W.data(1, count: 1000, ends: true))
        #expect(windows(owner).isEmpty)
    }

    @Test func aBodyWhoseRestFitsIsGivenNothingBack() {
        let owner = server()
        owner.feed(W.headers(1, W.post + [("content-length", "1600")]) + W.data(1, count: 600))
        // 1000 are to come, 400 are left.
        #expect(windows(owner) == ["WINDOW_UPDATE 1 600"])
        owner.feed(W.data(1, count: 600))
        #expect(windows(owner) == ["WINDOW_UPDATE 1 600"])
        owner.feed(W.data(1, count: 400, ends: true))
        #expect(owner.events.last == "data 1 1600 ends")
    }

    @Test func paddingIsGivenBackWithoutTheOwner() {
        let owner = server()
        owner.consumes = false
        owner.feed(W.headers(1, W.post))
        for _ in 0..<2 { owner.feed(W.padded(1, "", padding: 249)) }
        #expect(windows(owner) == ["WINDOW_UPDATE 1 500"])
    }

    @Test func oneSlowStreamDoesNotHoldUpTheConnection() {
        let owner = server(streamWindow: 60_000)
        owner.consumes = false
        owner.feed(W.headers(1, W.post))
        for _ in 0..<3 { owner.feed(W.data(1, count: 16_000)) }
        // Nothing was consumed, and half the connection's window is given back all the same.
        #expect(windows(owner) == ["WINDOW_UPDATE 0 48000"])
        owner.feed(W.headers(3, W.post) + W.data(3, count: 16_000))
        #expect(owner.events.last == "data 3 16000")
    }

    @Test func whatNobodyConsumesIsBoundedOnTheConnection() {
        var window = H2ReceiveWindow(target: 100_000)
        #expect(window.takeAll() == 34_465 && window.left == 100_000)
        var granted = 0
        // The owner consumes nothing: it is given twice the window and no more.
        for _ in 0..<40 where window.take(10_000) {
            window.deliver(10_000)
            granted += window.takeIncrement()
        }
        #expect(window.left == 0 && granted == 100_000 && window.due == 0)
        window.consume(60_000)
        #expect(window.takeIncrement() == 60_000 && window.left == 60_000)
        window.consume(140_000)
        #expect(window.takeAll() == 40_000 && window.left == 100_000)
        #expect(!window.take(100_001) && window.take(100_000))
        window.discard(100_000)
        #expect(window.takeIncrement() == 100_000)
    }

    @Test func moreThanTheConnectionsWindowEndsIt() {
        let owner = server(streamWindow: 1_000_000)
        owner.consumes = false
        owner.feed(W.headers(1, W.post))
        var sent = 0
        while owner.session.violation == nil, sent < 20 {
            owner.feed(W.data(1, count: 16_384))
            sent += 1
        }
        #expect(owner.session.violation == .flowControlExceeded)
        // Never twice the window, and never less than the window alone.
        #expect(sent > 65_535 / 16_384 && sent <= 131_070 / 16_384 + 1)
    }

    @Test func payloadOfAClosedStreamGoesBackToTheConnection() {
        let owner = server(streamWindow: 60_000)
        owner.consumes = false
        owner.feed(W.headers(1, W.post))
        for _ in 0..<3 { owner.feed(W.data(1, count: 16_000)) }
        // Half of a frame is there when the owner loses interest.
        let frame = W.data(1, count: 10_000)
        owner.feed(frame.prefix(5009))
        owner.close(owner.slots[1] ?? -1, .noError)
        owner.feed(frame.dropFirst(5009))
        for _ in 0..<3 { owner.feed(W.data(1, count: 12_000)) }
        #expect(owner.sent.contains("RST_STREAM 1 noError"))
        let granted = windows(owner).compactMap { Int($0.split(separator: " ")[2]) }.reduce(0, +)
        // All but what is below half a window came back.
        #expect(granted > 94_000 - 32_768 && owner.session.violation == nil)
        #expect(owner.events.last == "data 1 53000")
    }

    // MARK: Sending

    @Test func dataGoesInFramesOfThePeersSizeAndWithinBothWindows() {
        let owner = server(settings: [(4, 40_000)])
        owner.feed(W.headers(1, ends: true) + W.headers(3, ends: true))
        let (first, second) = (owner.slots[1] ?? -1, owner.slots[3] ?? -1)
        for slot in [first, second] { owner.session.queueResponse(slot, ok, ends: false) }
        owner.collect()
        #expect(owner.session.sendWindow(first) == 40_000)
        #expect(queue(owner, first, count: 50_000, ends: true) == 40_000)
        #expect(owner.sent.suffix(3) == ["DATA 1 16384", "DATA 1 16384", "DATA 1 7232"])
        // The connection's window is 65,535.
        #expect(owner.session.sendWindow(first) == 0 && owner.session.sendWindow(second) == 25_535)
        #expect(queue(owner, second, count: 40_000) == 25_535)
        #expect(queue(owner, second, count: 1) == 0)
        owner.feed(W.window(3, 100))
        #expect(owner.session.sendWindow(second) == 0)
        owner.feed(W.window(1, 10_000))
        #expect(owner.events.last == "writable 1")
        owner.feed(W.window(0, 20_000))
        #expect(owner.events.last == "all writable")
        #expect(queue(owner, first, count: 10_000, ends: true) == 10_000)
        #expect(owner.sent.last == "DATA 1 10000 ends")
        #expect(owner.session.isClosedOnWire(first) && !owner.session.isClosedOnWire(second))
        #expect(queue(owner, first, count: 1) == 0)
    }

    private var ok: ResponseHead {
        let head = ResponseHead()
        head.status = 200
        return head
    }

    @Test func endStreamNeedsNoWindow() {
        let owner = server(settings: [(4, 0)])
        owner.feed(W.headers(1, ends: true))
        let slot = owner.slots[1] ?? -1
        owner.session.queueResponse(slot, ok, ends: false)
        #expect(queue(owner, slot, count: 1, ends: true) == 0)
        #expect(queue(owner, slot, count: 0, ends: false) == 0)
        #expect(owner.sent.last?.hasPrefix("HEADERS") == true)
        #expect(queue(owner, slot, count: 0, ends: true) == 0)
        #expect(owner.sent.last == "DATA 1 0 ends")
        #expect(owner.session.isClosedOnWire(slot))
    }

    @Test func settingsTakeBackAWindowBelowZero() {
        let owner = server(settings: [(4, 100)])
        owner.feed(W.headers(1, ends: true))
        let slot = owner.slots[1] ?? -1
        owner.session.queueResponse(slot, ok, ends: false)
        #expect(queue(owner, slot, count: 80) == 80)
        owner.feed(W.settings([(4, 30)]))
        #expect(owner.session.streams[slot].sendWindow == -50 && owner.session.sendWindow(slot) == 0)
        #expect(queue(owner, slot, count: 1) == 0)
        // Up to zero is not yet open.
        owner.feed(W.window(1, 50))
        #expect(owner.events.last == "settings")
        owner.feed(W.settings([(4, 31)]))
        #expect(owner.events.suffix(2) == ["settings", "all writable"])
        #expect(queue(owner, slot, count: 9) == 1)
        owner.feed(W.window(1, 1))
        #expect(owner.events.last == "writable 1" && owner.session.sendWindow(slot) == 1)
        // What was open before need not be told.
        owner.feed(W.settings([(4, 130)]))
        #expect(owner.events.last == "settings" && owner.session.sendWindow(slot) == 100)
    }

    @Test func newStreamsBeginWithThePeersLastWord() {
        let owner = server(settings: [(4, 100), (4, 7)])
        owner.feed(W.headers(1, ends: true))
        #expect(owner.session.sendWindow(owner.slots[1] ?? -1) == 7)
    }

    @Test func theClientsBodyWaitsForTheWindowToo() {
        let owner = H2Owner(.client)
        let slot = owner.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ends: false)
        #expect(owner.session.sendWindow(slot) == 65_535)
        owner.feed(W.settings([(4, 10)]))
        #expect(queue(owner, slot, count: 20, ends: true) == 10)
        owner.feed(W.window(1, 10))
        #expect(queue(owner, slot, count: 10, ends: true) == 10)
        #expect(owner.sent.suffix(2) == ["DATA 1 10", "DATA 1 10 ends"])
    }

    @Test func largerFramesAreSentWhenThePeerTakesThem() {
        let owner = server(settings: [(5, 20_000)])
        owner.feed(W.headers(1, ends: true))
        let slot = owner.slots[1] ?? -1
        owner.session.queueResponse(slot, ok, ends: false)
        #expect(queue(owner, slot, count: 30_000, ends: true) == 30_000)
        #expect(owner.sent.suffix(2) == ["DATA 1 20000", "DATA 1 10000 ends"])
    }

    @Test func aHeadLargerThanAFrameIsContinued() {
        for (fields, continuations) in [(16, 0), (17, 1), (33, 2), (60, 3)] {
            let server = H2Owner(.server)
            let client = H2Owner(.client)
            let head = ResponseHead()
            head.status = 200
            // No value repeats and none is long enough to be worth a table entry.
            for index in 0..<fields {
                head.headers.append(
                    Array("x-\(index)".utf8).span, Array(String(repeating: "\(index % 10)", count: 1000).utf8).span)
            }
            client.request()
            client.feed(W.settings())
            server.feed(W.preface + W.settings() + W.headers(1, ends: true))
            server.session.queueResponse(server.slots[1] ?? -1, head, ends: true)
            let output = server.session.output
            client.feed(output.readable.indices.map { output.readable[$0] })
            server.collect()
            #expect(client.events.last == "response 1 200 length(0) ends")
            #expect(client.responseHead.headers.fields.count == fields)
            #expect(server.sent.filter { $0.hasPrefix("CONTINUATION") }.count == continuations)
        }
    }
}
