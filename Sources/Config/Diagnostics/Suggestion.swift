/// Finds what a mistyped word was probably meant to be.
///
/// Distances are Damerau-Levenshtein's in its restricted form: one step inserts, deletes or replaces a byte, or swaps
/// two neighbours. One of three letters may be wrong, and at least one. Failing that, a word is meant by its beginning:
/// `warn` is `warning`.
package enum Suggestion {
    /// The candidate nearest to `word`, the first of several, nil when none is near.
    package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let typed = lowercased(word)
        if candidates.contains(word) { return nil }
        guard !typed.isEmpty, typed.count <= 128 else { return nil }
        var best: String?
        var bound = max(1, typed.count / 3) + 1
        for candidate in candidates {
            guard abs(candidate.utf8.count - typed.count) < bound else { continue }
            let distance = distance(typed, lowercased(candidate), below: bound)
            if distance < bound {
                bound = distance
                best = candidate
                if distance == 0 { break }
            }
        }
        if best == nil, typed.count > 2 {
            best = candidates.first { candidate in
                let other = lowercased(candidate)
                return other.count > 2 && (other.starts(with: typed) || typed.starts(with: other))
            }
        }
        return best
    }

    private static func lowercased(_ word: String) -> [UInt8] {
        word.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    }

    /// The distance, or `bound` as soon as it is known to be no less.
    private static func distance(_ left: [UInt8], _ right: [UInt8], below bound: Int) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = last
        for row in 1...left.count {
            current[0] = row
            var least = row
            for column in stride(from: 1, through: right.count, by: 1) {
                let same = left[row - 1] == right[column - 1]
                var steps = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    steps = min(steps, beforeLast[column - 2] + 1)
                }
                current[column] = steps
                least = min(least, steps)
            }
            if least >= bound { return bound }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return min(last[right.count], bound)
    }
}
