/// How much the peer may send on the whole connection (RFC 9113 §6.9), and when it is given more.
///
/// A plain value inside its session. What arrives is given back at once while the owner has less than `target` bytes
/// that it did not consume; what goes beyond is given back on consumption. So one slow stream does not hold up its
/// neighbours, and never more than twice `target` is held.
struct H2ReceiveWindow: BitwiseCopyable {
    /// The window's size when everything is given back.
    let target: Int
    /// What the peer may still send.
    private(set) var left: Int
    /// Bytes that may be given back and are not yet.
    private(set) var due = 0
    private var unconsumed = 0

    init(target: Int) {
        self.target = max(target, H2Settings.windowDefault)
        left = H2Settings.windowDefault
        due = self.target - H2Settings.windowDefault
    }

    @inline(__always)
    private var withheld: Int { max(0, unconsumed &- target) }

    /// Whether what the owner did not consume makes the window smaller for all streams.
    var isNarrowed: Bool { withheld > 0 }

    /// A frame of `count` bytes of flow-controlled payload begins; false when that exceeds the window.
    @inline(__always)
    mutating func take(_ count: Int) -> Bool {
        guard count <= left else { return false }
        left &-= count
        return true
    }

    /// `count` bytes of it went to the owner.
    @inline(__always)
    mutating func deliver(_ count: Int) {
        let before = withheld
        unconsumed &+= count
        due &+= count &- (withheld &- before)
    }

    /// The owner is done with `count` bytes that it was given.
    @inline(__always)
    mutating func consume(_ count: Int) {
        let before = withheld
        unconsumed &-= count
        due &+= before &- withheld
    }

    /// `count` bytes went nowhere: padding, or payload of a stream that is no more.
    @inline(__always)
    mutating func discard(_ count: Int) { due &+= count }

    /// The increment to announce now, zero when less than half the window is due.
    @inline(__always)
    mutating func takeIncrement() -> Int { due &* 2 >= target ? takeAll() : 0 }

    /// The increment that is due, whatever its size.
    mutating func takeAll() -> Int {
        let increment = due
        left &+= increment
        due = 0
        return increment
    }
}
