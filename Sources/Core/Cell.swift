/// A plain value that one object owns and changes in place.
///
/// What a stored `var` of a class costs on every access, the bookkeeping that finds overlapping accesses, it does
/// without: the value is plain bits, so an overlap could at worst read an old one. On one thread.
@safe @usableFromInline
package final class Cell<Value: BitwiseCopyable> {
    // SAFETY: of the unchecked exclusivity: a value of plain bits, and no access to it calls foreign code.
    @exclusivity(unchecked) @usableFromInline var stored: Value

    package init(_ value: Value) { unsafe stored = value }

    @inlinable @inline(__always)
    package var value: Value {
        get { unsafe stored }
        _modify { yield unsafe &stored }
    }
}
