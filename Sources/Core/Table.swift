/// A growable row of plain values that one object owns and reuses.
///
/// What an `Array` property of a class costs on every access (exclusivity bookkeeping, a uniqueness test, a retain for
/// each walk) it does without: the elements are plain bits, so an overlapping access could at worst read an old value.
/// Owned by one object, on one thread.
@safe @usableFromInline
package final class Table<Element: BitwiseCopyable> {
    // SAFETY: of the unchecked exclusivity of these three: a table has one owner on one thread, and no access to one of them
    // calls foreign code. `base` holds room for `room` elements, of which the first `elements` are initialised.
    @exclusivity(unchecked) @usableFromInline var base: UnsafeMutablePointer<Element>
    @exclusivity(unchecked) @usableFromInline var elements: Int
    @exclusivity(unchecked) @usableFromInline var room: Int

    /// An empty table with room for `capacity` elements, at least one.
    package init(capacity: Int) {
        precondition(capacity > 0)
        unsafe base = .allocate(capacity: capacity)
        unsafe elements = 0
        unsafe room = capacity
    }

    deinit { unsafe base.deallocate() }

    // SAFETY: of everything below: the numbers are trivial and touched by leaf functions only, see the type's comment.

    @inlinable @inline(__always)
    package var count: Int { unsafe elements }

    @inlinable @inline(__always)
    package subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index outside the table")
            // SAFETY: the element was written, as just compared.
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index outside the table")
            // SAFETY: the element lies within the allocation, as just compared.
            unsafe base[index] = newValue
        }
    }

    /// All elements. A view of the memory as it is: nothing may be appended while it is looked at.
    @inlinable @inline(__always)
    package var span: Span<Element> {
        @_lifetime(borrow self) get {
            // SAFETY: the first `elements` are initialised; bound to the borrow of self.
            unsafe _overrideLifetime(Span(_unsafeStart: base, count: elements), borrowing: self)
        }
    }

    @inlinable @inline(__always)
    package func append(_ element: Element) {
        if unsafe elements == room { grow(to: count * 2) }
        // SAFETY: there is room for one more.
        unsafe base.advanced(by: elements).initialize(to: element)
        unsafe elements &+= 1
    }

    /// Forgets the elements; keeps the memory unless there is more than for `roomMax` of them.
    @inlinable @inline(__always)
    package func removeAll(keepingAtMost roomMax: Int) {
        unsafe elements = 0
        if unsafe room > roomMax { grow(to: roomMax) }
    }

    @usableFromInline
    func grow(to capacity: Int) {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        // SAFETY: the new allocation is disjoint and holds at least the elements there are.
        unsafe larger.update(from: base, count: min(elements, capacity))
        unsafe base.deallocate()
        unsafe base = larger
        unsafe room = capacity
    }
}
