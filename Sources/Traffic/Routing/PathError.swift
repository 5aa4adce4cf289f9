/// Why a path is refused: an endpoint could read it differently than the routes did. The kind of a `bad_request`.
package enum PathError: Error, Equatable, Sendable, CaseIterable {
    /// Does not begin with a slash.
    case notAbsolute
    /// `%` without two hexadecimal digits after it.
    case malformedPercent
    /// `%2F`, unless allowed.
    case encodedSlash
    /// `%5C`, unless allowed.
    case encodedBackslash
    /// `\`, unless allowed.
    case backslash
    /// `%00`.
    case encodedNul
    /// `%0D` or `%0A`.
    case encodedLineBreak
    /// A segment `.` or `..` that is written with `%2E`.
    case encodedDot
    /// `..;x`: some endpoints drop what follows `;` and then see a `..`.
    case dotParameter
    /// `..` that takes back an empty segment, as in `/a//../b`: `/a/b` for some endpoints, `/b` for others.
    case dotsAfterSlashes
    /// A `.` or `..` beside an allowed backslash or encoded slash.
    case dotsBesideSeparator
    /// `..` above the root.
    case aboveRoot
    /// `#`, which is never sent (RFC 9110 §4.2.5).
    case fragment
    /// The expression of a rewrite hit its limits.
    case patternLimit
    /// A rewrite made a path with a `.` or `..` segment.
    case rewrittenDots

    /// The kind in words of the configuration's style.
    package var kind: StaticString {
        switch self {
        case .notAbsolute: "path_not_absolute"
        case .malformedPercent: "malformed_percent"
        case .encodedSlash: "encoded_slash"
        case .encodedBackslash: "encoded_backslash"
        case .backslash: "backslash"
        case .encodedNul: "encoded_nul"
        case .encodedLineBreak: "encoded_line_break"
        case .encodedDot: "encoded_dot"
        case .dotParameter: "dot_parameter"
        case .dotsAfterSlashes: "dots_after_slashes"
        case .dotsBesideSeparator: "dots_beside_separator"
        case .aboveRoot: "above_root"
        case .fragment: "fragment"
        case .patternLimit: "pattern_limit"
        case .rewrittenDots: "rewritten_dots"
        }
    }
}
