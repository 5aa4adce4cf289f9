package import Config
import Traffic

/// The regular expression engine's word on configured patterns, for the loader, which does not know the engine.
package enum RegularExpressions {
    package static func check(_ pattern: String, ignoresCase: Bool) -> RegexVerdict {
        do throws(Pattern.CompileError) {
            return .valid(groups: try Pattern(pattern, ignoresCase: ignoresCase).groupCount)
        } catch {
            return .invalid(error.description)
        }
    }
}
