import Core

/// One radix tree per host group, all in one array: finds the prefixes of a path, the longest first.
///
/// Owned by the `RouteTable`, built once, then never changed. A lookup walks down once, whatever the number of prefixes,
/// and remembers only the last node that ends a prefix; shorter ones are linked from there.
struct PrefixForest: Sendable {
    struct Node {
        /// The bytes between the parent and this node.
        fileprivate var labelStart: UInt32
        fileprivate var labelCount: UInt32
        fileprivate var childStart: UInt32 = 0
        fileprivate var childCount: UInt32 = 0
        /// What ends here: the caller's number, -1 when only longer prefixes go on.
        fileprivate(set) var value: Int32
        /// The nearest node above at which a prefix ends, -1 when there is none.
        fileprivate(set) var outer: Int32
    }

    private var nodes: [Node] = []
    /// The first byte of each node's label, apart from the nodes, so that choosing a child reads few cache lines.
    private var edges: [UInt8] = []
    private var labels: [UInt8] = []

    subscript(node: Int32) -> Node {
        @inline(__always) get { nodes[Int(node)] }
    }

    /// The node of the longest prefix of `path` in the tree of `root`, -1 when there is none.
    @inline(__always)
    func longest(of path: Span<UInt8>, root: Int32) -> Int32 {
        guard root >= 0 else { return -1 }
        let nodes = self.nodes.span
        let labels = self.labels.span
        var current = Int(root)
        var depth = 0
        var found: Int32 = -1
        while true {
            let node = nodes[current]
            let count = Int(node.labelCount)
            guard path.count - depth >= count else { return found }
            let start = Int(node.labelStart)
            for offset in 0..<count where labels[start + offset] != path[depth + offset] { return found }
            depth += count
            if node.value >= 0 { found = Int32(truncatingIfNeeded: current) }
            guard node.childCount > 0, depth < path.count else { return found }
            current = child(of: node, path[depth])
            guard current >= 0 else { return found }
        }
    }

    @inline(__always)
    private func child(of node: Node, _ byte: UInt8) -> Int {
        let edges = self.edges.span
        var low = Int(node.childStart)
        var high = low + Int(node.childCount)
        while high - low > 8 {
            let middle = (low + high) / 2
            if edges[middle] <= byte { low = middle } else { high = middle }
        }
        while low < high {
            if edges[low] == byte { return low }
            low += 1
        }
        return -1
    }

    // MARK: Building

    struct Entry {
        let prefix: [UInt8]
        /// Not negative.
        let value: Int32
    }

    private struct Pending {
        let node: Int
        let entries: Range<Int>
        /// Bytes that all entries share and that stand above the node.
        let depth: Int
    }

    /// Adds a tree and returns its root, -1 for no entries. Prefixes are distinct; their order does not matter.
    mutating func insert(_ entries: [Entry]) -> Int32 {
        guard !entries.isEmpty else { return -1 }
        let sorted = entries.sorted { $0.prefix.lexicographicallyPrecedes($1.prefix) }
        let root = nodes.count
        appendNode(edge: 0, outer: -1)
        // Breadth first, so that the children of a node stand side by side.
        var pending = [Pending(node: root, entries: sorted.indices, depth: 0)]
        var next = 0
        while next < pending.count {
            let item = pending[next]
            next += 1
            pending += split(item, of: sorted)
        }
        return Int32(root)
    }

    /// Gives the node its label and value, and appends its children, which are still to be split.
    private mutating func split(_ item: Pending, of sorted: [Entry]) -> [Pending] {
        let first = sorted[item.entries.lowerBound].prefix
        let last = sorted[item.entries.upperBound - 1].prefix
        // In a sorted range the first and the last entry share the least.
        var shared = item.depth
        while shared < min(first.count, last.count), first[shared] == last[shared] { shared += 1 }
        nodes[item.node].labelStart = UInt32(labels.count)
        nodes[item.node].labelCount = UInt32(shared - item.depth)
        labels.append(contentsOf: first[item.depth..<shared])

        var start = item.entries.lowerBound
        if first.count == shared {
            nodes[item.node].value = sorted[start].value
            start += 1
        }
        let outer = nodes[item.node].value >= 0 ? Int32(item.node) : nodes[item.node].outer
        nodes[item.node].childStart = UInt32(nodes.count)
        var children: [Pending] = []
        while start < item.entries.upperBound {
            let edge = sorted[start].prefix[shared]
            var end = start + 1
            while end < item.entries.upperBound, sorted[end].prefix[shared] == edge { end += 1 }
            children.append(Pending(node: nodes.count, entries: start..<end, depth: shared))
            appendNode(edge: edge, outer: outer)
            start = end
        }
        nodes[item.node].childCount = UInt32(children.count)
        return children
    }

    private mutating func appendNode(edge: UInt8, outer: Int32) {
        nodes.append(Node(labelStart: 0, labelCount: 0, value: -1, outer: outer))
        edges.append(edge)
    }
}
