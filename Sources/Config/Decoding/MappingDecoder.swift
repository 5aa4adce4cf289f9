import Core

/// Reads one mapping key by key, reports what is wrong with each, and at the end the keys nobody asked for.
///
/// Every question names a key and returns its value, or nil when the key is absent or wrong (which is then reported), so
/// that a part's decoding is a list of `value = keys.duration("key", in: range) ?? value`.
struct MappingDecoder: ~Copyable {
    let context: DecodingContext
    let mark: Mark
    let entries: [Node.Entry]
    /// Keys that begin with `x-` are notes, for people and their tools, and say nothing.
    var takesNotes = false
    private let knownKeysStart: Int
    private var found = 0

    init(_ entries: [Node.Entry], at mark: Mark, _ context: DecodingContext) {
        self.entries = entries
        self.mark = mark
        self.context = context
        knownKeysStart = context.knownKeys.count
    }

    /// Decodes `node` by `body` when it is a mapping; `what` names it in messages.
    static func decode(_ node: Node, _ what: String, _ context: DecodingContext, _ body: (inout MappingDecoder) -> Void)
    {
        guard case .mapping(let entries) = node.content else {
            context.report(node.mark, "\(what): expected a mapping, found \(node.found)")
            return
        }
        var keys = MappingDecoder(entries, at: node.mark, context)
        body(&keys)
        keys.finish(what)
    }

    /// Reports the keys that nobody asked for.
    private consuming func finish(_ what: String) {
        defer { context.knownKeys.removeSubrange(knownKeysStart...) }
        guard found < entries.count else { return }
        let known = Array(context.knownKeys[knownKeysStart...])
        for entry in entries where !known.contains(entry.key) && !(takesNotes && entry.key.hasPrefix("x-")) {
            let nearest = context.nearest(to: entry.key, among: known)
            let rest = nearest == nil ? ": \(what) takes \(known.joined(separator: ", "))" : ""
            context.report(entry.keyMark, "unknown key '\(Node.excerpt(entry.key))'\(rest)", suggestion: nearest)
        }
    }

    // Nodes.

    /// The entry of `key`.
    mutating func entry(_ key: String) -> Node.Entry? {
        context.knownKeys.append(key)
        // The length tells most keys apart without comparing.
        let count = key.utf8.count
        for entry in entries where entry.key.utf8.count == count && entry.key == key {
            found += 1
            return entry
        }
        return nil
    }

    mutating func node(_ key: String) -> Node? { entry(key)?.value }

    /// The node of a key that must be there.
    mutating func required(_ key: String, of what: String) -> Node? {
        if let node = node(key) { return node }
        context.report(mark, "\(what) needs '\(key)'")
        return nil
    }

    /// Reports those of `keys` that are there but mean nothing, because of what `why` says.
    func refuse(_ keys: String..., because why: String) {
        for entry in entries where keys.contains(entry.key) {
            context.report(entry.keyMark, "\(entry.key) does nothing here: \(why)")
        }
    }

    // Scalars.

    mutating func text(_ key: String) -> String? { node(key).flatMap { context.text($0, key) } }

    mutating func flag(_ key: String) -> Bool? {
        guard let node = node(key) else { return nil }
        switch node.content {
        case .plain("true"): return true
        case .plain("false"): return false
        default:
            context.report(node.mark, "\(key): expected true or false, found \(node.found)")
            return nil
        }
    }

    mutating func integer<Value: FixedWidthInteger>(_ key: String, in range: ClosedRange<Value>) -> Value? {
        node(key).flatMap { context.integer($0, key, in: range) }
    }

    mutating func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        node(key).flatMap { context.duration($0, key, in: range) }
    }

    mutating func size<Value: FixedWidthInteger>(_ key: String, in range: ClosedRange<Value>) -> Value? {
        node(key).flatMap { context.size($0, key, in: range) }
    }

    /// One of an enumeration's words.
    mutating func choice<Value: CaseIterable & RawRepresentable<String>>(_ key: String) -> Value? {
        node(key).flatMap { context.choice($0, key, Value.self) }
    }

    // Collections.

    /// Decodes the mapping under `key` into `section`.
    mutating func section(_ key: String, _ section: inout some ConfigurationSection) {
        guard let node = node(key) else { return }
        MappingDecoder.decode(node, key, context) { section.decode(&$0) }
    }

    /// The items of the list under `key`.
    mutating func list(_ key: String) -> [Node]? {
        guard let node = node(key) else { return nil }
        return context.list(node, key)
    }

    /// The entries of the mapping under `key`, whatever its keys.
    mutating func entries(_ key: String) -> [Node.Entry]? {
        guard let node = node(key) else { return nil }
        guard case .mapping(let entries) = node.content else {
            context.report(node.mark, "\(key): expected a mapping, found \(node.found)")
            return nil
        }
        return entries
    }
}
