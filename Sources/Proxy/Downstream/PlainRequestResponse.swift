/// What a client hears that speaks plain HTTP where TLS is spoken.
enum PlainRequestResponse {
    static let bytes: StaticString = """
        HTTP/1.1 400 Bad Request\r
        content-type: application/problem+json\r
        x-sidecar-reason: bad_request\r
        connection: close\r
        content-length: 86\r
        \r
        {"title":"Bad Request","status":400,"reason":"bad_request","kind":"tls_expected_here"}

        """
}
