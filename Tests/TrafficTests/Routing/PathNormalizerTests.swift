import Config
import Core
import Testing

@testable import Traffic

@Suite struct PathNormalizerTests {
    /// The normal form, or the kind of refusal after a `!`.
    private func normal(_ path: String, _ change: (inout PathConfiguration) -> Void = { _ in }) -> String {
        normal(path.bytes, change)
    }

    private func normal(_ path: [UInt8], _ change: (inout PathConfiguration) -> Void = { _ in }) -> String {
        var configuration = PathConfiguration()
        change(&configuration)
        let output = Buffer(capacity: 8)
        do throws(PathError) {
            let outcome = try PathNormalizer(configuration).normalize(path.span, into: output)
            return outcome == .asSent ? path.span.text : output.readable.text
        } catch {
            return "!\(error.kind)"
        }
    }

    @Test(arguments: [
        ("/", "/"), ("", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a//b", "/a/b"), ("//", "/"), ("///a", "/a"),
        ("/a///", "/a/"), ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/a/..", "/"),
        ("/a/../", "/"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/a/b/..", "/a/"), ("/a/b/.", "/a/b/"),
        ("/.well-known/x", "/.well-known/x"), ("/...", "/..."), ("/..a", "/..a"), ("/a..", "/a.."), ("/.a/b", "/.a/b"),
        ("/a//b/../c", "/a/c"), ("/a//b/c/../d", "/a/b/d"), ("/a;x=1/b", "/a;x=1/b"), ("/a/;x", "/a/;x"),
        ("/%61", "/a"), ("/a%20b", "/a b"), ("/%2561", "/%61"), ("/%3F%23", "/?#"), ("/a%2eb", "/a.b"),
        ("/%2e%2e%2e", "/..."), ("/%C3%A9", "/é"), ("/é", "/é"), ("/a%3Bb", "/a;b"), ("/%252F", "/%2F"),
        ("/a/b;v=..", "/a/b;v=.."), ("/*", "/*"),
    ])
    func pathsHaveOneNormalForm(_ path: String, _ expected: String) {
        #expect(normal(path) == expected)
    }

    @Test(arguments: [
        ("/a%2Fb", "!encoded_slash"), ("/a%2fb", "!encoded_slash"), ("/a%5Cb", "!encoded_backslash"),
        ("/a\\b", "!backslash"), ("/a%00", "!encoded_nul"), ("/a%0d", "!encoded_line_break"),
        ("/a%0A", "!encoded_line_break"), ("/%2e%2e/x", "!encoded_dot"), ("/a/.%2e", "!encoded_dot"),
        ("/a/%2e/b", "!encoded_dot"), ("/a/%2E.", "!encoded_dot"), ("/a/..;/b", "!dot_parameter"),
        ("/a/..;x=y/b", "!dot_parameter"), ("/a/.;/b", "!dot_parameter"), ("/a/..%3b/b", "!dot_parameter"),
        ("/a/%2e%2e;/b", "!dot_parameter"), ("/..", "!above_root"), ("/a/../..", "!above_root"),
        ("/../a", "!above_root"), ("/%", "!malformed_percent"), ("/%2", "!malformed_percent"),
        ("/%zz", "!malformed_percent"), ("/%2x", "!malformed_percent"), ("/a%", "!malformed_percent"),
        ("/a//../b", "!dots_after_slashes"), ("/a//b/../../c", "!dots_after_slashes"),
        ("/a//./../b", "!dots_after_slashes"), ("/admin/;x/../public", "!dots_after_slashes"),
        ("//..", "!dots_after_slashes"), ("/a#b", "!fragment"), ("a", "!path_not_absolute"),
        ("*", "!path_not_absolute"),
        ("%2Fa", "!path_not_absolute"),
    ])
    func formsThatEndpointsReadDifferentlyAreRefused(_ path: String, _ expected: String) {
        #expect(normal(path) == expected)
    }

    @Test func everyEncodedByteIsDecodedOrRefused() {
        let hex = Array("0123456789ABCDEF".utf8)
        for value in UInt8.min...UInt8.max {
            let path = "/a%".bytes + [hex[Int(value >> 4)], hex[Int(value & 15)]] + "b".bytes
            let expected =
                switch value {
                case 0: "!encoded_nul"
                case 0x0A, 0x0D: "!encoded_line_break"
                case 0x2F: "!encoded_slash"
                case 0x5C: "!encoded_backslash"
                default: ("/a".bytes + [value] + "b".bytes).span.text
                }
            #expect(normal(path) == expected, "%\(String(value, radix: 16))")
            #expect(normal(path.map(ASCII.lowercased)) == expected, "%\(String(value, radix: 16))")
        }
    }

    @Test func everyOtherTripleIsMalformed() {
        for high in UInt8(1)...127 {
            for low in UInt8(1)...127 where ASCII.hexDigit(high) == nil || ASCII.hexDigit(low) == nil {
                #expect(normal("/%".bytes + [high, low]) == "!malformed_percent")
            }
        }
    }

    @Test func allowedEncodedSlashesStayEncodedAndPercentWithThem() {
        func allowed(_ path: String) -> String { normal(path) { $0.allowEncodedSlash = true } }
        #expect(allowed("/a%2fb") == "/a%2Fb")
        #expect(allowed("/a%5cb%61") == "/a%5Cba")
        #expect(allowed("/a%252fb") == "/a%252fb")
        #expect(allowed("/a%2F..%2Fb") == "!dots_beside_separator")
        #expect(allowed("/a/..%2Fb") == "!dots_beside_separator")
        #expect(allowed("/a%2F%2e%2e") == "!dots_beside_separator")
        #expect(allowed("/a%5C./b") == "!dots_beside_separator")
        #expect(allowed("/a\\b") == "!backslash")
    }

    @Test func allowedBackslashesAreOrdinaryBytesButNotBesideDots() {
        func allowed(_ path: String) -> String { normal(path) { $0.allowBackslash = true } }
        #expect(allowed("/a\\b") == "/a\\b")
        #expect(allowed("/a\\..\\b") == "!dots_beside_separator")
        #expect(allowed("/..\\b") == "!dots_beside_separator")
        #expect(allowed("/a%5Cb") == "!encoded_backslash")
    }

    @Test func slashesStayWhenNotMerged() {
        func kept(_ path: String) -> String { normal(path) { $0.mergeSlashes = false } }
        #expect(kept("/a//b") == "/a//b")
        #expect(kept("//") == "//")
        #expect(kept("/a//./b") == "/a//b")
        #expect(kept("/a//b/../c") == "/a//c")
        #expect(kept("/a//../b") == "!dots_after_slashes")
    }

    @Test func aNormalFormIsItsOwnNormalForm() {
        var random = Random(seed: 7)
        let alphabet = Array("/./..//a;b".utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<12, using: &random)
            let path = "/".bytes + (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            let once = normal(path)
            if once.hasPrefix("!") { continue }
            #expect(normal(once) == once, "\(path.span.text)")
            #expect(!once.contains("//") && !(once + "/").contains("/../") && !(once + "/").contains("/./"))
        }
    }

    @Test func anythingIsRefusedOrSurvivesBeingEncodedAgain() {
        var random = Random(seed: 11)
        let likely = Array("/./%%2e5Ccf;\\#a".utf8)
        var accepted = 0
        for _ in 0..<30_000 {
            let count = Int.random(in: 0..<16, using: &random)
            let path =
                "/".bytes
                + (0..<count).map { _ in
                    Int.random(in: 0..<8, using: &random) == 0
                        ? UInt8.random(in: 0x20...0xFF, using: &random) : likely.randomElement(using: &random)!
                }
            let output = Buffer(capacity: 8)
            do throws(PathError) {
                let normalizer = PathNormalizer(PathConfiguration())
                if try normalizer.normalize(path.span, into: output) == .asSent { output.append(path.span) }
                let again = Buffer(capacity: 8)
                let encoded = Buffer(capacity: 8)
                encoded.append(encodingPath: output.readable, keepingTriples: false)
                if try normalizer.normalize(encoded.readable, into: again) == .asSent {
                    again.append(encoded.readable)
                }
                #expect(again.readable.text == output.readable.text)
                accepted += 1
            } catch {
                continue
            }
        }
        #expect(accepted > 3000)
    }

    @Test func anOrdinaryPathIsNotCopied() throws {
        let output = Buffer(capacity: 8)
        let normalizer = PathNormalizer(PathConfiguration())
        #expect(try normalizer.normalize("/api/v1/orders/7.json".bytes.span, into: output) == .asSent)
        #expect(output.isEmpty)
    }

    @Test func kindsOfRefusalAreDistinctWords() {
        #expect(Set(PathError.allCases.map { "\($0.kind)" }).count == PathError.allCases.count)
    }
}
