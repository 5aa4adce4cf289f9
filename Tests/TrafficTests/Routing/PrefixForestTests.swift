import Core
import Testing

@testable import Traffic

@Suite struct PrefixForestTests {
    /// The values of all prefixes of `path`, the longest first.
    private func found(_ forest: PrefixForest, _ root: Int32, _ path: [UInt8]) -> [Int32] {
        var values: [Int32] = []
        var node = forest.longest(of: path.span, root: root)
        while node >= 0 {
            values.append(forest[node].value)
            node = forest[node].outer
        }
        return values
    }

    @Test func anEmptyTreeFindsNothing() {
        var forest = PrefixForest()
        #expect(forest.insert([]) == -1)
        #expect(forest.longest(of: "/a".bytes.span, root: -1) == -1)
    }

    @Test func prefixesOfPrefixesAreFoundFromTheLongest() {
        var forest = PrefixForest()
        let root = forest.insert(
            ["/a/b", "", "/", "/a/bc", "/b"].enumerated().map { .init(prefix: $1.bytes, value: Int32($0)) })
        #expect(found(forest, root, "/a/bcd".bytes) == [3, 0, 2, 1])
        #expect(found(forest, root, "/a/".bytes) == [2, 1])
        #expect(found(forest, root, "x".bytes) == [1])
        #expect(found(forest, root, []) == [1])
    }

    @Test func aChainAsDeepAsAPathIsLongNeedsNoStack() {
        var forest = PrefixForest()
        let deep = Array(repeating: UInt8(ascii: "/"), count: 1000)
        let root = forest.insert((1...1000).map { .init(prefix: Array(deep[..<$0]), value: Int32($0)) })
        #expect(found(forest, root, deep) == (1...1000).reversed().map(Int32.init))
    }

    @Test func itAgreesWithASearchThroughAllPrefixes() {
        var random = Random(seed: 42)
        var forest = PrefixForest()
        for _ in 0..<300 {
            // Few letters make shared beginnings likely; all bytes together make nodes wide.
            let alphabet: [UInt8] = Bool.random(using: &random) ? "/ab".bytes : Array(0...255)
            func text(_ longest: Int) -> [UInt8] {
                let count = Int.random(in: 0...longest, using: &random)
                return (0..<count).map { _ in alphabet.randomElement(using: &random)! }
            }
            let prefixes = Array(Set((0..<Int.random(in: 0...200, using: &random)).map { _ in text(6) }))
            let root = forest.insert(prefixes.enumerated().map { .init(prefix: $1, value: Int32($0)) })
            for _ in 0..<50 {
                let path = text(9)
                let expected = prefixes.indices.filter { path.starts(with: prefixes[$0]) }
                    .sorted { prefixes[$0].count > prefixes[$1].count }
                #expect(found(forest, root, path) == expected.map(Int32.init))
            }
        }
    }
}
