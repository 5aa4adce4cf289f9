/// What this program is.
package enum Version {
    package static let current = "0.1.0"

    /// The language version it was compiled with.
    static var swift: String {
        #if compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
