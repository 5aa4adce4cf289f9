import Core

/// Counters under keys that turn up while running: a fixed number of series, and one for all that come too late.
///
/// One worker writes, any thread reads meanwhile. A key is any number but zero. Series are numbered as they come and
/// never leave; number 0 is the overflow series, whose key is 0. Open addressing over twice as many places as there can
/// be series, so that a search ends soon.
final class SeriesTable: Sendable {
    /// Cells of one series.
    let width: Int
    private let capacity: Int
    private let hashShift: UInt64
    /// By hash: a series' number, or 0. Only the writer looks here.
    private let places: AtomicCells
    /// By number.
    private let keys: AtomicCells
    /// By number times width.
    let cells: AtomicCells
    /// One cell: how many series there are, the overflow series included; written after the series' key.
    private let published: AtomicCells

    /// Room for `seriesMax` series and the overflow series.
    init(seriesMax: Int, width: Int) {
        precondition(seriesMax >= 0 && width > 0)
        self.width = width
        capacity = seriesMax + 1
        var bits: UInt64 = 1
        while 1 << bits < UInt64(capacity) * 2 { bits += 1 }
        hashShift = 64 - bits
        places = AtomicCells(count: 1 << Int(bits))
        keys = AtomicCells(count: capacity)
        cells = AtomicCells(count: capacity * width)
        published = AtomicCells(count: 1)
        published.store(0, 1)
    }

    /// The number of the series of `key`, which is made when it is new; 0 when there is no room left.
    @inline(__always)
    func series(_ key: UInt64) -> Int {
        // Fibonacci hashing: the multiplication's upper bits depend on all of the key.
        var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> hashShift)
        while true {
            let number = Int(truncatingIfNeeded: places.load(place))
            if number == 0 { return insert(key, at: place) }
            if keys.load(number) == key { return number }
            place = (place + 1) & (places.count - 1)
        }
    }

    @inline(never)
    private func insert(_ key: UInt64, at place: Int) -> Int {
        precondition(key != 0)
        let number = Int(published.load(0))
        guard number < capacity else { return 0 }
        keys.store(number, key)
        places.store(place, UInt64(number))
        published.publish(0, UInt64(number + 1))
        return number
    }

    /// Calls `body` with every series' key and first cell, the overflow series' (key 0) first. On any thread.
    func forEach(_ body: (_ key: UInt64, _ cell: Int) -> Void) {
        for number in 0..<Int(published.observe(0)) { body(keys.load(number), number * width) }
    }
}
