import Core

/// The name in an authority, as hosts of routes are compared: without port, brackets and final dot.
package enum RouteHost {
    /// Longer ones are no DNS names (RFC 1035 §2.3.4): only routes for any host take them.
    package static let bytesMax = 255

    /// The part of `authority` that names the host, in whatever case it was sent.
    @inline(__always)
    @_lifetime(copy authority)
    package static func name(of authority: Span<UInt8>) -> Span<UInt8> {
        var end = authority.count
        if end > 0, authority[0] == UInt8(ascii: "[") {
            for index in 1..<end where authority[index] == UInt8(ascii: "]") { return authority.extracting(1..<index) }
            return authority
        }
        var position = end
        while position > 0 {
            position -= 1
            if authority[position] == ASCII.colon {
                end = position
                break
            }
            guard ASCII.digit(authority[position]) != nil else { break }
        }
        if end > 0, authority[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return authority.extracting(0..<end)
    }
}
