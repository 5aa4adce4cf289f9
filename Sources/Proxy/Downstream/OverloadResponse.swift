import IO

/// What a client hears whose connection cannot be served: one write, whatever it asked.
enum OverloadResponse {
    private static let bytes: StaticString = """
        HTTP/1.1 503 Service Unavailable\r
        content-type: application/problem+json\r
        x-sidecar-reason: overloaded\r
        connection: close\r
        content-length: 67\r
        \r
        {"title":"Service Unavailable","status":503,"reason":"overloaded"}

        """

    /// Answers and closes.
    static func send(on descriptor: consuming FileDescriptor) { Socket.sendLast(bytes, on: descriptor) }
}
