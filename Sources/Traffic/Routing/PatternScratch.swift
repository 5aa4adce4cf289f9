import CPCRE2

/// What one worker needs to match regular expressions: the place for groups, the machine stack and the limits.
///
/// Owned by its `RouteScratch`, used on that worker only. A match allocates nothing.
@safe
package final class PatternScratch {
    /// The whole match and `$1` to `$9`.
    package static let groupsMax = 10
    /// Backtracking points per match, some milliseconds: past it a match fails instead of holding up the worker.
    package static let stepsMax: UInt32 = 100_000
    private static let stackBytesMin = 32 * 1024
    private static let stackBytesMax = 256 * 1024

    let data: OpaquePointer
    let context: OpaquePointer
    private let stack: OpaquePointer?
    /// Groups known after the last match; 0 after none.
    var groups = 0

    package init() {
        // SAFETY: plain allocations; PCRE2 returns nil only when memory is exhausted.
        guard let data = unsafe pcre2_match_data_create_8(UInt32(Self.groupsMax), nil),
            let context = unsafe pcre2_match_context_create_8(nil)
        else { preconditionFailure("no memory for matching") }
        unsafe self.data = data
        unsafe self.context = context
        unsafe stack = pcre2_jit_stack_create_8(Self.stackBytesMin, Self.stackBytesMax, nil)
        // SAFETY: context and stack live as long as this object.
        unsafe pcre2_set_match_limit_8(context, Self.stepsMax)
        unsafe pcre2_set_depth_limit_8(context, Self.stepsMax)
        unsafe pcre2_jit_stack_assign_8(context, nil, stack.map { unsafe UnsafeMutableRawPointer($0) })
    }

    deinit {
        // SAFETY: created in `init`, freed once.
        unsafe pcre2_match_data_free_8(data)
        unsafe pcre2_match_context_free_8(context)
        if let stack = unsafe stack { unsafe pcre2_jit_stack_free_8(stack) }
    }

    /// Where group `number` of the last match stands in its subject; nil when it took no part, group 0 is the whole.
    package func range(ofGroup number: Int) -> Range<Int>? {
        guard number < groups else { return nil }
        // SAFETY: PCRE2 wrote `groups` pairs of offsets; they stay until the next match.
        let offsets = unsafe pcre2_get_ovector_pointer_8(data)!
        let start = unsafe offsets[number * 2]
        let end = unsafe offsets[number * 2 + 1]
        // PCRE2_UNSET is ~0, which is negative here. `\K` in a lookahead can put the start after the end.
        guard start >= 0, start <= end else { return nil }
        return start..<end
    }
}
