/// Builds the tree of the one document that a file may hold.
///
/// Used once. Problems that leave the rest readable (a duplicate key, a tag) are collected; others end the reading.
/// Aliases cost what they repeat: nodes and nesting are counted as if every alias were written out.
struct NodeReader: ~Copyable {
    /// The deepest nesting of lists and mappings.
    static let depthMax = 64
    /// The most nodes of a document, aliases written out.
    static let nodesMax = 1_000_000
    /// Mappings with more keys than this look for duplicates by hash.
    private static let scanMax = 16

    private struct Anchored {
        let node: Node
        let count: Int
        let height: Int
    }

    /// Duplicate keys and other problems, in the order of the file.
    private(set) var problems: [SyntaxProblem] = []
    private var anchors: [String: Anchored] = [:]
    private var nodes = 0
    /// The items of the lists, and the entries of the mappings, that have begun and not ended, innermost last.
    private var items: [Node] = []
    private var entries: [Node.Entry] = []

    /// Reads the tree of `file`; nil when there is none because the file has no content.
    mutating func read(_ file: [UInt8]) throws(SyntaxProblem) -> Node? {
        let source = try SourceText(file)
        var reader = NodeReader()
        defer { problems = reader.problems }
        return try YAMLParser.withEvents(of: source) { parser throws(SyntaxProblem) in
            try reader.document(parser)
        }
    }

    private mutating func document(_ parser: borrowing YAMLParser) throws(SyntaxProblem) -> Node? {
        var root: Node?
        while true {
            let event = try parser.next()
            switch event.kind {
            case .streamEnd: return root
            case .documentStart:
                guard root == nil else {
                    throw SyntaxProblem(mark: event.mark, message: "a second document begins; a file holds one")
                }
                var height = 0
                root = try node(from: try parser.next(), parser, depth: 0, height: &height)
            default: break
            }
        }
    }

    /// The node that begins with `event`. `height` becomes the nesting within it.
    private mutating func node(
        from event: YAMLEvent, _ parser: borrowing YAMLParser, depth: Int, height: inout Int
    ) throws(SyntaxProblem) -> Node {
        if event.kind == .alias { return try repeated(event, depth: depth, height: &height) }
        try count(1, at: event.mark)
        let before = nodes
        if event.isTagged { problems.append(SyntaxProblem(mark: event.mark, message: "tags are not used here")) }
        let node: Node
        switch event.kind {
        case .sequenceStart:
            try checkDepth(depth + 1, at: event.mark)
            node = try sequence(from: event, parser, depth: depth + 1, height: &height)
        case .mappingStart:
            try checkDepth(depth + 1, at: event.mark)
            node = try mapping(from: event, parser, depth: depth + 1, height: &height)
        default:
            height = 0
            if !event.isPlain, event.text.utf8.contains(0) {
                problems.append(SyntaxProblem(mark: event.mark, message: "a NUL character is not allowed"))
            }
            node = Node(event.isPlain ? .plain(event.text) : .quoted(event.text), at: event.mark)
        }
        if let anchor = event.anchor {
            anchors[anchor] = Anchored(node: node, count: nodes - before + 1, height: height)
        }
        return node
    }

    private mutating func sequence(
        from event: YAMLEvent, _ parser: borrowing YAMLParser, depth: Int, height: inout Int
    ) throws(SyntaxProblem) -> Node {
        let start = items.count
        var highest = 0
        while true {
            let next = try parser.next()
            if next.kind == .collectionEnd { break }
            var inner = 0
            let item = try node(from: next, parser, depth: depth, height: &inner)
            items.append(item)
            highest = max(highest, inner)
        }
        height = highest + 1
        defer { items.removeSubrange(start...) }
        return Node(.sequence(Array(items[start...])), at: event.mark)
    }

    private mutating func mapping(
        from event: YAMLEvent, _ parser: borrowing YAMLParser, depth: Int, height: inout Int
    ) throws(SyntaxProblem) -> Node {
        let start = entries.count
        var indices: [String: Int] = [:]
        var merged: Node?
        var highest = 0
        while true {
            let key = try parser.next()
            if key.kind == .collectionEnd { break }
            var inner = 0
            guard let name = try keyText(key, parser, depth: depth, height: &inner) else {
                _ = try node(from: try parser.next(), parser, depth: depth, height: &inner)
                continue
            }
            let value = try node(from: try parser.next(), parser, depth: depth, height: &inner)
            highest = max(highest, inner)
            if name == "<<", key.isPlain, merged == nil {
                merged = value
            } else if let first = append(Node.Entry(key: name, keyMark: key.mark, value: value), from: start, &indices)
            {
                problems.append(
                    SyntaxProblem(
                        mark: key.mark,
                        message: "key '\(Node.excerpt(name))' stands here twice, first on line \(first.line)"))
            }
        }
        if let merged { merge(merged, from: start, &indices) }
        height = highest + 1
        defer { entries.removeSubrange(start...) }
        return Node(.mapping(Array(entries[start...])), at: event.mark)
    }

    /// The text of a key, nil when it is none.
    private mutating func keyText(
        _ event: YAMLEvent, _ parser: borrowing YAMLParser, depth: Int, height: inout Int
    ) throws(SyntaxProblem) -> String? {
        if event.kind == .scalar, event.anchor == nil, !event.isTagged {
            try count(1, at: event.mark)
            return event.text
        }
        let key = try node(from: event, parser, depth: depth, height: &height)
        if let text = key.text { return text }
        problems.append(SyntaxProblem(mark: event.mark, message: "a key must be a word, found \(key.found)"))
        return nil
    }

    /// Adds the entries of a `<<` that the mapping does not have itself.
    private mutating func merge(_ node: Node, from start: Int, _ indices: inout [String: Int]) {
        switch node.content {
        case .mapping(let added):
            for entry in added { append(entry, from: start, &indices) }
        case .sequence(let nodes):
            for node in nodes {
                guard case .mapping(let added) = node.content else {
                    problems.append(SyntaxProblem(mark: node.mark, message: "<< merges mappings, found \(node.found)"))
                    continue
                }
                for entry in added { append(entry, from: start, &indices) }
            }
        default:
            problems.append(SyntaxProblem(mark: node.mark, message: "<< merges mappings, found \(node.found)"))
        }
    }

    private mutating func repeated(_ event: YAMLEvent, depth: Int, height: inout Int) throws(SyntaxProblem) -> Node {
        guard let anchored = anchors[event.text] else {
            throw SyntaxProblem(
                mark: event.mark, message: "alias *\(Node.excerpt(event.text)) names no anchor that ended before it")
        }
        try count(anchored.count, at: event.mark)
        try checkDepth(depth + anchored.height, at: event.mark)
        height = anchored.height
        return anchored.node
    }

    private mutating func count(_ more: Int, at mark: Mark) throws(SyntaxProblem) {
        nodes += more
        guard nodes <= Self.nodesMax else {
            throw SyntaxProblem(mark: mark, message: "more than \(Self.nodesMax) values, aliases written out")
        }
    }

    private func checkDepth(_ depth: Int, at mark: Mark) throws(SyntaxProblem) {
        guard depth <= Self.depthMax else {
            throw SyntaxProblem(mark: mark, message: "nested more than \(Self.depthMax) deep")
        }
    }

    /// Adds `entry` to the mapping whose entries begin at `start`, or returns where its key stands already.
    ///
    /// `indices` finds the keys of a mapping that is too large for comparing all.
    @discardableResult
    private mutating func append(_ entry: Node.Entry, from start: Int, _ indices: inout [String: Int]) -> Mark? {
        let count = entries.count - start
        if count <= Self.scanMax {
            for index in start..<entries.count where entries[index].key == entry.key { return entries[index].keyMark }
        } else if let index = indices[entry.key] {
            return entries[index].keyMark
        }
        if count == Self.scanMax {
            for index in start..<entries.count { indices[entries[index].key] = index }
        }
        if count >= Self.scanMax { indices[entry.key] = entries.count }
        entries.append(entry)
        return nil
    }
}
