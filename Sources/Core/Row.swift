/// A growable row of places, each of which holds an object or none, by small dense numbers.
///
/// What an `Array` property of a class costs on every access (exclusivity bookkeeping, a uniqueness test) it does without.
/// Owned by one object, on one thread.
@safe @usableFromInline
package final class Row<Element: AnyObject> {
    // SAFETY: of the unchecked exclusivity: one owner on one thread, and no access calls foreign code but the release of an
    // element, which comes after the row has changed.
    @exclusivity(unchecked) @usableFromInline var places: ContiguousArray<Element?> = []

    @inlinable package init() {}

    /// One past the highest place that ever held an object.
    @inlinable @inline(__always)
    package var count: Int { unsafe places.count }

    /// Places beyond the end hold nothing; setting one lengthens the row.
    @inlinable @inline(__always)
    package subscript(place: Int) -> Element? {
        get { unsafe place < places.count ? places[place] : nil }
        set {
            while unsafe place >= places.count { unsafe places.append(nil) }
            unsafe places[place] = newValue
        }
    }

    @inlinable
    package func removeAll() { unsafe places = [] }
}
