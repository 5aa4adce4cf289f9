/// What one write is made of: up to three runs of bytes, one after the other. They must live and not change while it is used.
@unsafe
struct TLSSegments {
    // SAFETY: of all three: whoever makes it keeps the bytes alive and unchanged while it is used; runs stay within them.
    var first: UnsafeRawBufferPointer
    var second: UnsafeRawBufferPointer
    var last: UnsafeRawBufferPointer
    var total: Int { unsafe first.count + second.count + last.count }

    /// The bytes from `position` on that stand together.
    func run(at position: Int) -> UnsafeRawBufferPointer {
        var position = position
        if unsafe position < first.count { return unsafe UnsafeRawBufferPointer(rebasing: first[position...]) }
        unsafe position -= first.count
        if unsafe position < second.count { return unsafe UnsafeRawBufferPointer(rebasing: second[position...]) }
        unsafe position -= second.count
        return unsafe UnsafeRawBufferPointer(rebasing: last[position...])
    }
}
