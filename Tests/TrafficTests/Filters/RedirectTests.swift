import Config
import Core
import HTTP
import Testing

@testable import Traffic

@Suite struct RedirectTests {
    private func location(
        _ scheme: String?, _ host: String?, _ path: String?, _ head: RequestHead, isSecure: Bool = false
    ) -> String {
        var configuration = RedirectConfiguration()
        configuration.scheme = scheme
        configuration.host = host
        configuration.path = path
        let redirect = Redirect(configuration) { Issue.record("\($0) \($1)") }
        let output = Buffer(capacity: 8)
        redirect.write(head, isSecure: isSecure, into: output)
        return output.readable.text
    }

    @Test func givenPartsReplaceTheRequests() {
        let head = request("GET", "/a/b?q=1", host: "shop.local")
        #expect(location("https", nil, nil, head) == "https://shop.local/a/b?q=1")
        #expect(location(nil, "new.test:81", nil, head) == "http://new.test:81/a/b?q=1")
        #expect(location(nil, nil, "/c", head) == "http://shop.local/c?q=1")
        #expect(location("http", "[::1]:80", "/c", head, isSecure: true) == "http://[::1]:80/c?q=1")
        #expect(location(nil, nil, "/c", head, isSecure: true) == "https://shop.local/c?q=1")
    }

    @Test func aPortStaysOnlyWhereItSaysSomething() {
        func of(_ host: String, _ scheme: String?, isSecure: Bool = false) -> String {
            location(scheme, nil, "/", request("GET", "/", host: host), isSecure: isSecure)
        }
        #expect(of("a:8080", nil) == "http://a:8080/")
        #expect(of("a:80", nil) == "http://a/")
        #expect(of("a:443", nil) == "http://a:443/")
        #expect(of("a:443", nil, isSecure: true) == "https://a/")
        #expect(of("a:8080", "https") == "https://a/")
        #expect(of("a:8443", "https", isSecure: true) == "https://a:8443/")
        #expect(of("a:", nil) == "http://a/")
        #expect(of("[::1]", "https") == "https://[::1]/")
        #expect(of("[::1]:80", "https") == "https://[::1]/")
    }

    @Test func withoutAHostItIsRelativeAndNamesNoOther() {
        #expect(location(nil, nil, "/c", request("GET", "/a?")) == "/c?")
        #expect(location("https", nil, nil, request("GET", "//evil.test/x")) == "/evil.test/x")
        #expect(location("https", nil, nil, request("GET", "/\\evil.test")) == "/%5Cevil.test")
        #expect(location("https", nil, nil, request("GET", "/", host: "a@evil.test")) == "/")
        #expect(location("https", nil, nil, request("GET", "/", host: "a/b")) == "/")
        #expect(location("https", nil, nil, request("GET", "", host: "a")) == "https://a/")
    }

    @Test func bytesOutsideAURLAreEncoded() {
        let head = request("GET", "/a\r\nSet-Cookie:x\"<é?b\u{0} \u{7F}", host: "h")
        #expect(
            location(nil, "h", nil, head) == "http://h/a%0D%0ASet-Cookie:x%22%3C%C3%A9?b%00%20%7F")
    }
}
