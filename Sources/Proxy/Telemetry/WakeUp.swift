import Glibc

/// A flag that one thread sleeps for and others raise: what a mutex with a condition is for, as one object.
///
/// Raising it while nobody sleeps costs no system call. Between waking and lowering nothing is lost: a flag raised
/// meanwhile ends the next sleep at once.
@safe
final class WakeUp: @unchecked Sendable {
    // SAFETY: unchecked because of the pointers, which never change; what they point to is used as POSIX prescribes, and
    // `raised` only under the mutex.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var raised = false

    init() {
        // SAFETY: freshly allocated memory for one of each; the attributes are a local, and copied.
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        // SAFETY: nobody waits, since whoever waits holds a reference.
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func raise() {
        // SAFETY: both were initialised in init.
        unsafe pthread_mutex_lock(mutex)
        raised = true
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Sleeps until the flag is raised, and lowers it.
    func wait() {
        // SAFETY: both were initialised in init; the mutex is held around every use of `raised`.
        unsafe pthread_mutex_lock(mutex)
        while !raised { unsafe pthread_cond_wait(condition, mutex) }
        raised = false
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Sleeps until the flag is raised, at most for `nanoseconds`; says whether it was, and lowers it.
    func wait(nanosecondsMax nanoseconds: UInt64) -> Bool {
        var until = timespec()
        // SAFETY: the pointer is to a local; both objects were initialised in init.
        unsafe clock_gettime(CLOCK_MONOTONIC, &until)
        let total = UInt64(until.tv_nsec) + nanoseconds
        until.tv_sec += Int(total / 1_000_000_000)
        until.tv_nsec = Int(total % 1_000_000_000)
        unsafe pthread_mutex_lock(mutex)
        var result: Int32 = 0
        while !raised, result == 0 { result = unsafe pthread_cond_timedwait(condition, mutex, &until) }
        let wasRaised = raised
        raised = false
        unsafe pthread_mutex_unlock(mutex)
        return wasRaised
    }
}
