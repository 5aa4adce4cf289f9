import Testing

@testable import Config

/// What files become as trees, and which are refused.
@Suite struct NodeReaderTests {
    private func read(_ text: String) throws(SyntaxProblem) -> Node? { try read(Array(text.utf8)) }

    private func read(_ bytes: [UInt8]) throws(SyntaxProblem) -> Node? {
        var reader = NodeReader()
        let node = try reader.read(bytes)
        if let problem = reader.problems.first { throw problem }
        return node
    }

    private func problem(_ bytes: [UInt8]) -> SyntaxProblem? {
        do throws(SyntaxProblem) {
            _ = try read(bytes)
            return nil
        } catch {
            return error
        }
    }

    private func problem(_ text: String) -> SyntaxProblem? { problem(Array(text.utf8)) }

    private func entries(_ node: Node?) -> [Node.Entry] {
        guard case .mapping(let entries) = node?.content else { return [] }
        return entries
    }

    @Test func everyKeyAndValueRemembersItsLineAndColumn() throws {
        let root = entries(try read("a: 1\nlong: [x, 'y']\nm:\n  inner: \"z\"\n"))
        #expect(root.map(\.key) == ["a", "long", "m"])
        #expect(root.map(\.keyMark) == [Mark(line: 1, column: 1), Mark(line: 2, column: 1), Mark(line: 3, column: 1)])
        #expect(root[0].value.mark == Mark(line: 1, column: 4))
        guard case .sequence(let items) = root[1].value.content else {
            Issue.record("no list: \(root[1].value)")
            return
        }
        #expect(items.map(\.mark) == [Mark(line: 2, column: 8), Mark(line: 2, column: 11)])
        let inner = entries(root[2].value)
        #expect(inner[0].keyMark == Mark(line: 4, column: 3))
        #expect(inner[0].value.mark == Mark(line: 4, column: 10))
    }

    @Test func quotesAreToldFromPlainText() throws {
        let root = entries(try read("a: 1\nb: '1'\nc: \"1\"\nd: |\n  1\n"))
        let arePlain = root.map { if case .plain = $0.value.content { true } else { false } }
        #expect(arePlain == [true, false, false, false])
        #expect(root.map(\.value.text) == ["1", "1", "1", "1\n"])
    }

    @Test func nothingIsNoText() throws {
        let root = entries(try read("a:\nb: ~\nc: null\nd: ''\ne: \"null\"\n"))
        #expect(root.map(\.value.text) == [nil, nil, nil, "", "null"])
    }

    @Test func columnsCountCharactersNotBytes() throws {
        let root = entries(try read("\"ä€😀\": 1\n"))
        #expect(root[0].value.mark == Mark(line: 1, column: 8))
    }

    @Test func aByteOrderMarkIsNoCharacter() throws {
        let root = entries(try read([0xEF, 0xBB, 0xBF] + Array("a: 1\n".utf8)))
        #expect(root[0].key == "a")
        #expect(root[0].keyMark == Mark(line: 1, column: 1))
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n...\n"])
    func filesWithoutContentHaveNoTree(text: String) throws {
        let node = try read(text)
        #expect(node?.text == nil)
    }

    @Test func jsonIsReadWithItsTabsEscapesAndSurrogates() throws {
        let text =
            "\t{\"a\":\t\"x\\/y\",\n\t\"b\":\"\\ud83d\\ude00\\u00e9\\\\ud83d\",\"c\":[1,-2,true,null],\"d\":{}}\n\t\n"
        let root = entries(try read(text))
        #expect(root.map(\.key) == ["a", "b", "c", "d"])
        #expect(root[0].value.text == "x/y")
        #expect(root[1].value.text == "😀é\\ud83d")
        guard case .sequence(let items) = root[2].value.content else {
            Issue.record("no list: \(root[2].value)")
            return
        }
        #expect(items.map(\.text) == ["1", "-2", "true", nil])
    }

    @Test func marksBehindASurrogatePairAreThoseOfTheFile() throws {
        let text = #"{"a": "\ud83d\ude00\ud83d\ude00", "b": 1, "c": [ ] ]"#
        let root = entries(try read(#"{"a": "\ud83d\ude00\ud83d\ude00", "b": 1}"#))
        #expect(root[1].keyMark == Mark(line: 1, column: 35))
        #expect(problem(text)?.mark.column == UInt32(text.utf8.count))
    }

    @Test func aLoneSurrogateIsAProblemWithItsPlace() {
        #expect(problem(#"{"a": "\ud83d"}"#)?.mark.line == 1)
    }

    @Test func aliasesRepeatWhatTheyName() throws {
        let root = entries(try read("a: &x {k: [1, 2]}\nb: *x\n"))
        #expect(entries(root[1].value).map(\.key) == ["k"])
        // Problems in it stand where it is written.
        #expect(root[1].value.mark == Mark(line: 1, column: 4))
    }

    @Test func mergedKeysYieldToOwnOnes() throws {
        let root = entries(
            try read("a: &a {k: 1, l: 2}\nb: &b {l: 3, m: 4}\nc: {<<: *a, k: 9}\nd: {<<: [*a, *b], n: 5}\n"))
        func values(_ node: Node) -> [String: String] {
            Dictionary(uniqueKeysWithValues: entries(node).map { ($0.key, $0.value.text ?? "") })
        }
        #expect(values(root[2].value) == ["k": "9", "l": "2"])
        #expect(values(root[3].value) == ["k": "1", "l": "2", "m": "4", "n": "5"])
    }

    @Test func onlyMappingsMerge() {
        #expect(problem("a: {<<: 1}\n")?.message == "<< merges mappings, found '1'")
        #expect(problem("a: {<<: [1]}\n")?.message == "<< merges mappings, found '1'")
    }

    @Test func anAliasWithoutAnchorIsAProblem() {
        #expect(
            problem("a: *x\n")
                == SyntaxProblem(
                    mark: Mark(line: 1, column: 4), message: "alias *x names no anchor that ended before it"))
        #expect(problem("a: &x [*x]\n")?.message == "alias *x names no anchor that ended before it")
    }

    @Test func anAliasBombIsRefusedBeforeItGrows() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(problem(text)?.message == "more than 1000000 values, aliases written out")
    }

    @Test func aMergeBombIsRefusedBeforeItGrows() {
        var text = "a0: &a0 {\((0..<1000).map { "k\($0): 1" }.joined(separator: ", "))}\n"
        for line in 1...2000 { text += "a\(line): {<<: *a0, n: 1}\n" }
        #expect(problem(text)?.message == "more than 1000000 values, aliases written out")
    }

    @Test func nestingEndsAtItsLimit() throws {
        let deepest = NodeReader.depthMax
        _ = try read(String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
        for opening in ["[", "{a: ", "- ", "? "] {
            let text = String(repeating: opening, count: 100_000)
            #expect(problem(text)?.message == "nested more than 64 deep", "\(opening)")
        }
    }

    @Test func nestingByAliasesEndsAtTheSameLimit() {
        var text = "a0: &a0 [x]\n"
        for level in 1...100 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(problem(text)?.message == "nested more than 64 deep")
    }

    @Test func aKeyTwiceIsAProblemAtTheSecond() {
        let expected = SyntaxProblem(
            mark: Mark(line: 3, column: 1), message: "key 'a' stands here twice, first on line 1")
        #expect(problem("a: 1\nb: 2\na: 3\n") == expected)
    }

    @Test func aKeyTwiceIsFoundAmongManyToo() {
        for first in [0, 10, 15, 16, 17, 40] {
            let keys = (0..<50).map { "k\($0): 1\n" }.joined() + "k\(first): 2\n"
            #expect(problem(keys)?.message == "key 'k\(first)' stands here twice, first on line \(first + 1)")
        }
    }

    @Test func keysAreWords() {
        #expect(problem("[a, b]: 1\n")?.message == "a key must be a word, found a list")
        #expect(problem("{a: 1}: 1\n")?.message == "a key must be a word, found a mapping")
    }

    @Test func tagsAreRefused() {
        #expect(problem("a: !!int 1\n")?.message == "tags are not used here")
        #expect(problem("a: !x [1]\n")?.message == "tags are not used here")
    }

    @Test func aSecondDocumentIsRefused() {
        let expected = SyntaxProblem(
            mark: Mark(line: 2, column: 1), message: "a second document begins; a file holds one")
        #expect(problem("a: 1\n---\nb: 2\n") == expected)
    }

    @Test func aTabInAnIndentIsExplained() {
        #expect(
            problem("a:\n\tb: 1\n")
                == SyntaxProblem(mark: Mark(line: 2, column: 1), message: "a tab cannot indent; use spaces"))
    }

    @Test func aCharacterThatNeedsQuotesIsNamed() {
        let expected = SyntaxProblem(
            mark: Mark(line: 2, column: 4), message: "a value that begins with @ must stand in quotes")
        #expect(problem("a: ä\nb: @x\n") == expected)
    }

    @Test func whatIsNotTextIsRefusedWithItsPlace() {
        func at(_ line: Int, _ column: Int, _ message: String) -> SyntaxProblem {
            SyntaxProblem(mark: Mark(line: line, column: column), message: message)
        }
        #expect(problem(Array("a: 1\nb: ".utf8) + [0xFF]) == at(2, 4, "the file is not UTF-8"))
        #expect(problem(Array("ä: ".utf8) + [0xC3]) == at(1, 4, "the file is not UTF-8"))
        #expect(problem(Array("a: ".utf8) + [0xED, 0xA0, 0x80]) == at(1, 4, "the file is not UTF-8"))
        #expect(problem(Array("a: ".utf8) + [0xC0, 0x80]) == at(1, 4, "the file is not UTF-8"))
        #expect(problem(Array("a: ".utf8) + [0xF4, 0x90, 0x80, 0x80]) == at(1, 4, "the file is not UTF-8"))
        #expect(problem(Array("a: x".utf8) + [0]) == at(1, 5, "a NUL byte is not text"))
        #expect(problem(Array("a: x".utf8) + [7]) == at(1, 5, "control character 0x07 is not text"))
        #expect(problem("a: \"x\\0y\"\n")?.message == "a NUL character is not allowed")
        #expect(problem("a: \u{80}\n")?.mark == Mark(line: 1, column: 4))
        #expect(problem([0xFF, 0xFE, 0x61, 0x00])?.message == "the file is not UTF-8")
    }

    @Test func hugeFilesAreRefusedUnread() {
        let bytes = [UInt8](repeating: 0x23, count: SourceText.bytesMax + 1)
        #expect(problem(bytes) == SyntaxProblem(mark: .none, message: "the file is larger than 16MiB"))
    }

    @Test func manyDirectivesAreRefused() {
        let text = (0..<100_000).map { "%TAG !a\($0)! !b\n" }.joined() + "---\na: 1\n"
        #expect(
            problem(text) == SyntaxProblem(mark: Mark(line: 65, column: 1), message: "more than 64 lines begin with %"))
    }

    @Test func manyValuesAreRefused() {
        let text = "[" + String(repeating: "a,", count: 1_100_000) + "]"
        #expect(problem(text)?.message == "more than 1000000 values, aliases written out")
    }

    @Test func whatIsMissingAtTheEndIsMissedInTheLastLine() {
        #expect(problem("a: 1\nb: [2")?.mark == Mark(line: 2, column: 6))
        #expect(problem("a: 1\nb: [ä")?.mark == Mark(line: 2, column: 6))
        #expect(problem("a: 1\nb: [2\n")?.mark == Mark(line: 3, column: 1))
    }

    @Test func anUnclosedListSaysWhereItBegan() throws {
        let found = try #require(problem("a: [1,\nb: 2\n"))
        #expect(found.message.contains("that began on line 1"))
    }
}
