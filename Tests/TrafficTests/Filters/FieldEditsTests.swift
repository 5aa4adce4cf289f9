import Config
import Core
import HTTP
import Testing

@testable import Traffic

@Suite struct FieldEditsTests {
    private func edits(_ change: (inout HeaderEdits) -> Void) -> FieldEdits {
        var configuration = HeaderEdits()
        change(&configuration)
        return FieldEdits(configuration, of: .response) { Issue.record("\($0) \($1)") }
    }

    @Test func removedThenSetThenAdded() {
        let block = HeaderBlock()
        for (name, value) in [("X-A", "1"), ("Server", "x"), ("x-a", "2"), ("Kept", "k"), ("X-B", "3")] {
            block.append(name.bytes.span, value.bytes.span)
        }
        let edits = edits {
            $0.add = [.init(name: "X-B", value: "4"), .init(name: "Server", value: "y")]
            $0.set = [.init(name: "X-a", value: "5")]
            $0.remove = ["SERVER", "absent"]
        }
        edits.apply(to: block)
        #expect(lines(block) == ["Kept: k", "X-B: 3", "X-a: 5", "X-B: 4", "Server: y"])
        #expect(!edits.isEmpty)
    }

    @Test func noEditsChangeNothing() {
        let block = HeaderBlock()
        block.append("A".bytes.span, "b".bytes.span)
        let edits = edits { _ in }
        edits.apply(to: block)
        #expect(edits.isEmpty)
        #expect(lines(block) == ["A: b"])
    }

    @Test func theSameNameSetTwiceKeepsTheLast() {
        let block = HeaderBlock()
        edits { $0.set = [.init(name: "A", value: "1"), .init(name: "a", value: "2")] }.apply(to: block)
        #expect(lines(block) == ["a: 2"])
    }

    @Test func aHostOfARequestCanBeSet() {
        var configuration = HeaderEdits()
        configuration.set = [.init(name: "Host", value: "b")]
        let head = request(host: "a")
        FieldEdits(configuration, of: .request) { Issue.record("\($0) \($1)") }.apply(to: head.headers)
        #expect(lines(head.headers) == ["Host: b"])
    }
}
