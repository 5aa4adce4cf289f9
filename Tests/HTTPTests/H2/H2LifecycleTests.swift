import Core
import Testing

@testable import HTTP

/// How connections and streams begin and end: slots, numbers, shutdown (RFC 9113 §5.1, §6.8).
@Suite struct H2LifecycleTests {
    private typealias W = H2Wire

    private func server() -> H2Owner {
        let owner = H2Owner(.server)
        owner.feed(W.preface + W.settings())
        return owner
    }

    private func client(_ settings: [(UInt16, UInt32)] = []) -> H2Owner {
        let owner = H2Owner(.client)
        owner.feed(W.settings(settings))
        return owner
    }

    @Test func slotsAreReused() {
        let owner = server()
        owner.responds = true
        for index in 0..<300 as Range<UInt32> { owner.feed(W.headers(index * 2 + 1, ends: true)) }
        #expect(owner.session.streams.endIndex == 1 && owner.session.streamsOpen == 0)
    }

    @Test func slotsAreFoundByNumbersHoweverTheyComeAndGo() {
        let table = H2StreamTable()
        var random = Random(seed: 7)
        var expected: [UInt32: Int] = [:]
        var next: UInt32 = 1
        for _ in 0..<5000 {
            if expected.count < 200, random.next() % 3 > 0 {
                // Numbers may be left out, and then stand close to each other in the map all the same.
                next += random.next() % 4 == 0 ? 2 + 2 * UInt32(random.next() % 600) : 2
                expected[next] = table.hold(H2Stream(id: next))
            } else if let id = expected.keys.sorted().dropFirst(Int(random.next() % 50)).first {
                table.release(expected.removeValue(forKey: id) ?? -1)
                #expect(table.find(id) == nil)
            }
            #expect(table.heldCount == expected.count)
        }
        for (id, slot) in expected { #expect(table.find(id) == slot && table[slot].id == id) }
        #expect(Set(expected.values).count == expected.count)
    }

    @Test func aStreamThatBeginsByDependingOnItselfIsNobodys() {
        let owner = server()
        let head = W.frame(1, 0x24, 1, W.number(1) + [15] + W.block(W.post))
        owner.feed(head + W.data(1, "x", ends: true) + W.headers(3, ends: true))
        #expect(owner.events == ["settings", "request 3 GET / none ends"] && owner.session.streamsOpen == 1)
        #expect(owner.sent.last == "RST_STREAM 1 protocolError")
    }

    @Test func aStreamThatBothEndedIsClosedWithoutAFrame() {
        let owner = server()
        owner.responds = true
        owner.feed(W.headers(1, ends: true))
        #expect(owner.sent.last == "HEADERS 1 ends")
    }

    @Test func anEarlyResponseStopsTheRequestWithoutAnError() {
        let owner = server()
        owner.feed(W.headers(1, W.post) + W.data(1, "ab"))
        let slot = owner.slots[1] ?? -1
        owner.session.queueResponse(slot, owner.responseHead200, ends: true)
        #expect(!owner.session.isClosedOnWire(slot))
        owner.close(slot, .noError)
        owner.feed(W.data(1, "cd", ends: true) + W.headers(3, ends: true))
        #expect(owner.sent.suffix(2) == ["HEADERS 1 ends", "RST_STREAM 1 noError"])
        #expect(owner.events.last == "request 3 GET / none ends")
    }

    @Test func aHeadThatNobodyDecodesIsSkipped() {
        let session = H2Session(.server, limits: H2Limits())
        let input = Buffer(capacity: 64)
        // The first block puts `x: y` into the table, the second refers to it.
        let first = W.block(W.get) + [0x40, 1, 0x78, 1, 0x79]
        input.append(
            (W.preface + W.settings() + W.frame(1, 5, 1, first) + W.frame(1, 5, 3, W.block(W.get) + [0xBE])).span)
        #expect(session.next(input, now: .zero) == .settings)
        #expect(session.next(input, now: .zero) == .head(0, isNew: true, ends: true))
        session.close(0, .cancel)
        #expect(session.next(input, now: .zero) == .head(0, isNew: true, ends: true))
        let head = RequestHead()
        #expect(throws: Never.self) { try session.decodeRequest(0, into: head) }
        let last = ParsedHead.lines(of: head.headers).last
        #expect(last == "x: y (other)")
    }

    @Test func aGracefulEndTakesWhatIsOnItsWay() {
        let owner = server()
        owner.feed(W.headers(1, ends: true))
        owner.session.beginShutdown()
        owner.feed(W.headers(3, ends: true))
        owner.session.goAway(.noError)
        owner.collect()
        #expect(owner.sent.suffix(2) == ["GOAWAY 2147483647 noError", "GOAWAY 3 noError"])
        let before = owner.events
        // What comes now is ignored, whatever it is.
        owner.feed(
            W.headers(5, W.post) + W.data(5, "x") + W.window(5, 1) + W.headers(5, W.trailers, ends: true) + W.reset(5))
        #expect(owner.events == before && owner.session.violation == nil)
        owner.feed(W.window(3, 1) + W.ping("still ok"))
        #expect(owner.sent.last == "PING ack still ok")
    }

    @Test func aFailedSessionSaysSoForEver() {
        let owner = server()
        owner.feed(W.data(0))
        owner.feed(W.ping())
        #expect(owner.events.last == "over unexpectedStream")
        #expect(owner.session.next(owner.input, now: .zero) == .failed(.unexpectedStream))
        #expect(owner.sent.filter { $0.hasPrefix("GOAWAY") }.count == 1)
        // And is silent.
        owner.session.ping()
        owner.session.beginShutdown()
        owner.session.goAway(.noError)
        owner.collect()
        #expect(owner.sent.filter { $0.hasPrefix("GOAWAY") || $0.hasPrefix("PING") }.count == 1)
    }

    @Test func goAwayNamesTheLastStreamThatWasSeen() {
        let owner = server()
        owner.feed(W.headers(5, ends: true) + W.ping("1234567") + W.data(0))
        #expect(owner.sent.last == "GOAWAY 5 frameSizeError frame_size_wrong")
    }

    @Test func pingsAreAnsweredAndAsked() {
        let owner = server()
        owner.session.ping()
        owner.session.ping()
        owner.collect()
        #expect(owner.sent.filter { $0 == "PING sidecar?" }.count == 1)
        owner.feed(W.frame(6, 1, 0, Array("whatever".utf8)))
        #expect(owner.events.last == "settings")
        owner.feed(W.frame(6, 1, 0, Array("sidecar?".utf8)))
        #expect(owner.events.last == "pong")
        owner.session.ping()
        owner.collect()
        #expect(owner.sent.filter { $0 == "PING sidecar?" }.count == 2)
    }

    // MARK: Client

    @Test func aClientOpensAsManyAsItsPeerAllows() {
        let owner = H2Owner(.client)
        #expect(owner.session.canOpen && owner.session.peerStreamsMax == 100)
        owner.feed(W.settings([(3, 2)]))
        #expect(owner.session.peerStreamsMax == 2)
        let first = owner.request()
        #expect(owner.session.canOpen)
        owner.request()
        #expect(!owner.session.canOpen)
        owner.feed(W.headers(1, W.ok, ends: true))
        owner.close(first)
        #expect(owner.session.canOpen && owner.session.id(of: owner.request()) == 5)
        owner.feed(W.settings([(3, 9)]))
        #expect(owner.events.last == "settings" && owner.session.canOpen)
    }

    @Test func aServerWithoutALimitHasNone() { #expect(client().session.peerStreamsMax == Int(UInt32.max)) }

    @Test func numbersAreGivenInTheOrderOfHeads() {
        let owner = client()
        let (first, second) = (owner.session.open(), owner.session.open())
        let head = owner.requestHead
        _ = try? H1RequestParser.parse(
            Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8).span, into: head, limits: ParsedHead.limits, scanned: 0)
        #expect(owner.session.id(of: second) == 0)
        owner.session.queueRequest(second, head, isSecure: false, ends: true)
        owner.session.queueRequest(first, head, isSecure: false, ends: true)
        #expect(owner.session.id(of: second) == 1 && owner.session.id(of: first) == 3)
    }

    @Test func aStreamThatNeverBeganIsClosedWithoutAFrame() {
        let owner = client()
        owner.collect()
        let before = owner.sent
        owner.session.close(owner.session.open(), .cancel)
        owner.collect()
        #expect(owner.sent == before && owner.session.streamsOpen == 0)
    }

    @Test func numbersRunOut() {
        let owner = client()
        owner.session.state.value.nextID = 0x7FFF_FFFD
        #expect(owner.session.id(of: owner.request()) == 0x7FFF_FFFD)
        let last = owner.session.open()
        #expect(!owner.session.canOpen)
        owner.session.queueRequest(last, owner.requestHead, isSecure: true, ends: true)
        #expect(owner.session.id(of: last) == 0x7FFF_FFFF && !owner.session.canOpen)
    }

    @Test func afterGoAwayNothingIsOpened() {
        let owner = client()
        owner.request()
        let unsent = owner.session.open()
        owner.feed(W.goAway(1))
        #expect(!owner.session.canOpen && owner.events.suffix(2) == ["goaway noError", "refused 0"])
        #expect(owner.session.streamsOpen == 1 && unsent == 1)
        let leaving = client()
        leaving.session.goAway(.noError)
        leaving.collect()
        #expect(!leaving.session.canOpen && leaving.sent.last == "GOAWAY 0 noError")
    }

    @Test func extendedConnectIsAnnounced() {
        #expect(!client().session.peerAllowsExtendedConnect)
        #expect(client([(8, 1)]).session.peerAllowsExtendedConnect)
    }

    @Test func aFrameThatIsTakenWholeSaysHowMuchItWants() {
        let owner = server()
        let frame = W.headers(1, ends: true)
        owner.feed(frame.prefix(10))
        #expect(owner.session.inputBytesWanted == frame.count)
        owner.feed(frame.dropFirst(10))
        #expect(owner.session.inputBytesWanted == 9)
        owner.feed(W.headers(3, W.post) + W.data(3, count: 100).prefix(50))
        #expect(owner.session.inputBytesWanted == 1 && owner.events.last == "data 3 41")
    }

    @Test func anIdleSessionHoldsNoStreams() {
        let owner = server()
        #expect(owner.session.gathered == nil && owner.session.streams.endIndex == 0)
        #expect(MemoryLayout<H2Session.State>.size <= 512 && MemoryLayout<H2Stream>.size <= 64)
    }
}

extension H2Owner {
    /// An empty response.
    var responseHead200: ResponseHead {
        responseHead.reset()
        responseHead.status = 200
        return responseHead
    }
}
