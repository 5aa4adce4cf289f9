import Testing

@testable import HTTP

/// One rule of RFC 9113 as a sequence of frames and what must come of it.
struct H2Rule: CustomTestStringConvertible, Sendable {
    enum Outcome: Sendable {
        /// The connection lives and no stream was reset; the events, when they matter.
        case fine([String] = [])
        /// This stream was reset with this code, the connection lives.
        case stream(UInt32, H2ErrorCode)
        /// The connection was ended.
        case connection(H2Violation)
    }

    /// Of the RFC; with a letter and a number, of another one.
    let section: String
    let what: String
    let bytes: [UInt8]
    let outcome: Outcome
    /// Complete requests are answered.
    let responds: Bool

    init(_ section: String, _ what: String, _ bytes: [UInt8], _ outcome: Outcome, responds: Bool = false) {
        self.section = section
        self.what = what
        self.bytes = bytes
        self.outcome = outcome
        self.responds = responds
    }

    var testDescription: String { "§\(section) \(what)" }

    /// Feeds the bytes, in pieces that end at `cuts`, to a session that `prepare` makes, and compares.
    func check(cuts: [Int] = [], _ prepare: () -> H2Owner) {
        let owner = run(cuts: cuts, prepare)
        let goAways = owner.sent.filter { $0.hasPrefix("GOAWAY") }
        let resets = owner.sent.filter { $0.hasPrefix("RST_STREAM") }
        let context = "\(testDescription), cut at \(cuts): \(owner.events), \(owner.sent)"
        switch outcome {
        case .fine(let events):
            #expect(goAways.isEmpty && resets.isEmpty, "\(context)")
            #expect(Self.isAlive(owner), "\(context)")
            if !events.isEmpty { #expect(owner.events == events, "\(context)") }
        case .stream(let id, let code):
            #expect(goAways.isEmpty && resets == ["RST_STREAM \(id) \(code)"], "\(context)")
            #expect(Self.isAlive(owner), "\(context)")
        case .connection(let violation):
            #expect(owner.session.violation == violation, "\(context)")
            #expect(owner.events.last == "over \(violation)", "\(context)")
            #expect(goAways.count == 1 && owner.sent.last == goAways.first, "\(context)")
            #expect(goAways.first?.hasSuffix(" \(violation.code) \(violation.word)") == true, "\(context)")
        }
    }

    func run(cuts: [Int], _ prepare: () -> H2Owner) -> H2Owner {
        let owner = prepare()
        owner.responds = responds
        var start = 0
        for end in cuts + [bytes.count] {
            owner.feed(bytes[start..<end])
            start = end
        }
        return owner
    }

    /// Whether the session still answers.
    private static func isAlive(_ owner: H2Owner) -> Bool {
        owner.feed(H2Wire.ping("alive?!?"))
        return owner.session.violation == nil && owner.sent.last == "PING ack alive?!?"
    }
}
