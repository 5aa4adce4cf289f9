import CPCRE2
import Core

/// A regular expression, compiled once and shared by all workers.
///
/// PCRE2 never changes compiled code while matching, so any number of threads may use it at once; what a match writes
/// is in the `PatternScratch` of the caller. The subject is bytes, not UTF-8, unless the expression begins with `(*UTF)`.
@safe
package final class Pattern: Sendable {
    /// Why a text is no regular expression.
    package struct CompileError: Error, Equatable {
        /// PCRE2's own words.
        package let message: String
        /// How many bytes of the expression stand before the mistake.
        package let offset: Int
    }

    /// What a match came to.
    package enum Outcome: Equatable, Sendable {
        case match, noMatch
        /// A limit of the scratch was hit: the expression and the subject take too long together.
        case failed
    }

    // SAFETY: immutable after `init`; PCRE2 allows concurrent matches on one code (pcre2api, MULTITHREADING).
    nonisolated(unsafe) private let code: OpaquePointer
    /// How many capturing groups it has.
    package let groupCount: Int

    package init(_ text: String, ignoresCase: Bool = false) throws(CompileError) {
        var code: Int32 = 0
        var offset = 0
        let options = ignoresCase ? UInt32(PCRE2_CASELESS) : 0
        var text = text
        let compiled = text.withUTF8 { utf8 in
            // SAFETY: the pointers are valid for the call; PCRE2 copies what it keeps.
            unsafe pcre2_compile_8(utf8.baseAddress, utf8.count, options, &code, &offset, nil)
        }
        guard let compiled = unsafe compiled else {
            throw CompileError(message: Self.message(of: code), offset: offset)
        }
        // Where executable memory is forbidden this fails, and matching interprets: slower, and as correct.
        // SAFETY: `compiled` is ours alone until `init` returns.
        _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
        var groups: UInt32 = 0
        // SAFETY: PCRE2_INFO_CAPTURECOUNT writes one uint32_t.
        _ = unsafe pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
        groupCount = Int(groups)
        unsafe self.code = compiled
    }

    // SAFETY: the last reference is gone, so nobody matches with it.
    deinit { unsafe pcre2_code_free_8(code) }

    /// Looks for the first match in `subject`; the scratch then knows where the groups are.
    package func match(_ subject: Span<UInt8>, _ scratch: PatternScratch) -> Outcome {
        let result = unsafe subject.withUnsafeBufferPointer { bytes in
            // SAFETY: the subject is alive for the call, and PCRE2 keeps its pointer for `substring` functions only.
            unsafe pcre2_match_8(code, bytes.baseAddress, bytes.count, 0, 0, scratch.data, scratch.context)
        }
        // Zero: matched, with more groups than the scratch has room for.
        if result >= 0 {
            scratch.groups = result == 0 ? PatternScratch.groupsMax : Int(result)
            return .match
        }
        scratch.groups = 0
        return result == PCRE2_ERROR_NOMATCH ? .noMatch : .failed
    }

    private static func message(of code: Int32) -> String {
        // SAFETY: `count` bytes are initialised.
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            // SAFETY: PCRE2 writes at most the capacity, and returns the length without the NUL.
            count = Int(max(0, unsafe pcre2_get_error_message_8(code, buffer.baseAddress, buffer.count)))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
