import Core

/// Remembers how the streams that closed last were closed, so that what still comes for them is judged rightly.
///
/// Owned by its session. A frame for a stream that this side reset was sent before its peer knew and is ignored; one for
/// a stream that the peer itself ended is an error (RFC 9113 §5.1). Each stream has one place, by its number, which a
/// stream opened `count` later takes over: by then no peer has old frames on their way.
final class H2ClosedStreams {
    enum Memory {
        /// This side reset it, or refused it.
        case resetHere
        /// Both ended it, or the peer reset it.
        case ended
        /// Never used, or too long ago.
        case unknown
    }

    static var count: Int { 256 }

    /// `id << 1`, and 1 for those reset here. Made when the first stream closes.
    private var table: Table<UInt32>?

    func remember(_ id: UInt32, resetHere: Bool) {
        let table = self.table ?? Self.makeTable()
        if self.table == nil { self.table = table }
        table[Self.place(of: id)] = id &<< 1 | (resetHere ? 1 : 0)
    }

    func find(_ id: UInt32) -> Memory {
        guard let table else { return .unknown }
        let entry = table[Self.place(of: id)]
        guard entry != 0, entry &>> 1 == id else { return .unknown }
        return entry & 1 == 1 ? .resetHere : .ended
    }

    private static func place(of id: UInt32) -> Int { Int(truncatingIfNeeded: id &>> 1) & (count &- 1) }

    private static func makeTable() -> Table<UInt32> {
        let table = Table<UInt32>(capacity: count)
        for _ in 0..<count { table.append(0) }
        return table
    }
}
