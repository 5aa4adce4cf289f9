/// Compiles a regular expression to learn whether it is one. The engine lives in another room; who loads a configuration
/// hands its check in, so that bad expressions are reported with everything else, at their line and column.
package typealias RegexCheck = (_ pattern: String, _ ignoresCase: Bool) -> RegexVerdict

/// What the engine says of a pattern.
package enum RegexVerdict: Equatable, Sendable {
    /// It compiles, and has this many groups.
    case valid(groups: Int)
    /// It does not, and why.
    case invalid(String)
}
