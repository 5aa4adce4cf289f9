/// How large a head may be.
package struct HeadLimits: Sendable {
    /// The request or status line without its CRLF.
    package var startLineBytesMax: Int
    /// The whole head, start line and the empty line at its end included.
    package var headBytesMax: Int
    package var fieldsMax: Int

    package init(startLineBytesMax: Int, headBytesMax: Int, fieldsMax: Int) {
        self.startLineBytesMax = startLineBytesMax
        self.headBytesMax = headBytesMax
        self.fieldsMax = fieldsMax
    }
}

/// What parsing a head came to, when it is no error.
package enum HeadOutcome: Equatable {
    /// How many bytes of the input the head took, the empty line at its end and those before it included.
    case complete(Int)
    /// The input ends within the head.
    case needMore
}
