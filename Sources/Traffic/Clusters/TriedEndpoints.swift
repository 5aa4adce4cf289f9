/// The endpoints that one exchange has tried: a few indices, empty for most exchanges. A value in the exchange.
package struct TriedEndpoints: Sendable, BitwiseCopyable {
    /// More tries than any policy allows.
    package static let capacity = 8

    private var indices = InlineArray<8, UInt32>(repeating: 0)
    package private(set) var count = 0

    package init() {}

    @inline(__always) package var isEmpty: Bool { count == 0 }

    package mutating func insert(_ index: Int) {
        if contains(index) { return }
        precondition(count < Self.capacity, "an exchange tried \(count) endpoints")
        indices[count] = UInt32(index)
        count += 1
    }

    @inline(__always)
    package func contains(_ index: Int) -> Bool {
        for position in 0..<count where indices[position] == UInt32(truncatingIfNeeded: index) { return true }
        return false
    }

    package mutating func removeAll() { count = 0 }
}
