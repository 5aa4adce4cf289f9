import Core

/// Walks the members of a comma-separated value (RFC 9110 §5.6.1): empty ones are skipped, whitespace around them is
/// left out.
///
/// For lists of tokens; a comma inside a quoted string separates as well.
struct ListMembers {
    private var position = 0

    /// The next member's range in `value`, which must be the same at every call; nil when there is none left.
    mutating func next(in value: Span<UInt8>) -> Range<Int>? {
        while position < value.count {
            var start = position
            var end = value.firstIndex(of: ASCII.comma, from: start)
            position = end &+ 1
            while start < end, value[start] == ASCII.space || value[start] == ASCII.tab { start &+= 1 }
            while end > start, value[end &- 1] == ASCII.space || value[end &- 1] == ASCII.tab { end &-= 1 }
            if start < end { return start..<end }
        }
        return nil
    }
}
