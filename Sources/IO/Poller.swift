import CLinux
import Glibc

/// What the kernel says of a descriptor since it last said something.
package struct Readiness: Equatable, Sendable {
    let events: UInt32

    /// Bytes, a connection or the end of the stream can be read.
    @inline(__always) package var isReadable: Bool {
        events & (sidecar_EPOLLIN | sidecar_EPOLLRDHUP | sidecar_EPOLLHUP | sidecar_EPOLLERR) != 0
    }
    @inline(__always) package var isWritable: Bool {
        events & (sidecar_EPOLLOUT | sidecar_EPOLLHUP | sidecar_EPOLLERR) != 0
    }
    /// The peer will send no more: it closed, or shut its writing side.
    @inline(__always) package var isHungUp: Bool {
        events & (sidecar_EPOLLRDHUP | sidecar_EPOLLHUP | sidecar_EPOLLERR) != 0
    }
    /// The connection was reset, or failed.
    @inline(__always) package var isError: Bool { events & sidecar_EPOLLERR != 0 }
}

/// epoll, edge-triggered: a descriptor is registered once, for both directions, and never modified.
///
/// Owned by one `EventLoop`, used on its thread.
@safe
struct Poller: ~Copyable {
    static let eventsMax = 256

    private let epoll: FileDescriptor
    // SAFETY: an allocation of eventsMax events, made with the poller and freed with it; nobody else has its address.
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(IOError) {
        let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .last("epoll_create1") }
        epoll = FileDescriptor(rawValue: descriptor)
        unsafe events = .allocate(capacity: Self.eventsMax)
    }

    deinit { unsafe events.deallocate() }

    func add(_ descriptor: Int32, token: UInt64) throws(IOError) {
        let interest = sidecar_EPOLLIN | sidecar_EPOLLOUT | sidecar_EPOLLRDHUP | sidecar_EPOLLET
        guard sidecar_epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, descriptor, interest, token) == 0 else {
            throw .last("epoll_ctl")
        }
    }

    /// Forgets a descriptor that stays open, or that another process may hold; closing does it otherwise.
    func remove(_ descriptor: Int32) {
        _ = sidecar_epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Waits at most `timeoutMs` (-1: for ever) and returns how many events there are.
    func wait(timeoutMs: Int32) -> Int {
        // SAFETY: the allocation holds eventsMax events.
        max(0, Int(unsafe epoll_wait(epoll.rawValue, events, Int32(Self.eventsMax), timeoutMs)))
    }

    @inline(__always)
    func event(at index: Int) -> (token: UInt64, readiness: Readiness) {
        precondition(index < Self.eventsMax)
        // SAFETY: epoll_wait filled the events below the count it returned, and index is checked against the allocation.
        let event = unsafe events[index]
        return unsafe (event.data.u64, Readiness(events: event.events))
    }
}
