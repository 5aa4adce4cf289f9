import Core

/// What one worker needs to match requests, reused so that a match allocates nothing.
///
/// Owned by its worker, used on that thread only, for any number of tables.
package final class RouteScratch {
    /// The normalised path of the request at hand, unless it is what was sent.
    let path = Buffer(capacity: 1024)
    /// Whether the request's path is its own normal form.
    var pathIsAsSent = false
    /// For one decoded query parameter's value.
    let value = Buffer(capacity: 256)
    let pattern = PatternScratch()
    /// The client of the request at hand, while it is matched; nil at any other time.
    var identity: ClientIdentity?
    /// Whether the last match ended without a route because a regular expression hit its limits: the request is then
    /// treated as one that no route takes, never as one that the next route takes.
    package internal(set) var patternFailed = false

    package init() {}
}
