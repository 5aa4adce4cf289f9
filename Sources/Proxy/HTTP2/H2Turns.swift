import Core

/// Whose turn it is when the streams of one connection wait for room that may not do for all of them.
///
/// A plain value of one connection's. Who is served first once comes last the next time: what one stream has to send may be
/// without end, and the others' turn must come.
struct H2Turns {
    /// The place behind the one that was served first last time.
    private var next = 0

    /// The place to begin with, among `count` in a ring.
    mutating func begin(among count: Int, isWaiting: (Int) -> Bool) -> Int {
        for offset in 0..<count {
            let place = (next + offset) % count
            guard isWaiting(place) else { continue }
            next = place + 1
            return place
        }
        return 0
    }
}
