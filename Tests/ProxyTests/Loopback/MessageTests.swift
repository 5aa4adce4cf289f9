import Core
import Testing

@testable import Proxy

/// Messages through a running worker: each arrives as it was sent.
@Suite struct MessageTests {
    @Test func requestsOfOneClientGoOverOneConnectionToTheEndpoint() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet("/first")
            let server = try loopback.upstream.accept()
            for path in ["/first", "/second", "/third"] {
                if path != "/first" { try client.sendGet(path) }
                let request = try server.readMessage()
                #expect(request.startLine == "GET \(path) HTTP/1.1")
                try server.sendResponse("answer to \(path)")
                let response = try client.readMessage()
                #expect(response.status == 200)
                #expect(response.text == "answer to \(path)")
                #expect(response["connection"] == nil)
            }
            #expect(loopback.endpoint(.connections) == 1)
            #expect(!loopback.upstream.hasConnection)
        }
    }

    @Test func fiftyPipelinedRequestsAreAnsweredInTheirOrder() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: app\r\n\r\n" }.joined())
            let server = try loopback.upstream.accept()
            for number in 0..<50 {
                #expect(try server.readMessage().path == "/\(number)")
                try server.sendResponse("\(number)")
            }
            for number in 0..<50 { #expect(try client.readMessage().text == "\(number)") }
        }
    }

    @Test func chunksAndTrailersPassBothWays() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send(
                "POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    + "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nX-Sum: up\r\n\r\n")
            let server = try loopback.upstream.accept()
            let request = try server.readMessage()
            #expect(request.text == "hello, world")
            #expect(request.trailers.map(\.value) == ["up"])
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            #expect(try client.readHead().status == 200)
            // A chunk is passed on when it comes, not when the next one does.
            #expect(try client.read(to: "abc\r\n") == "3\r\n")
            try server.send("2\r\nde\r\n0\r\nX-Sum: down\r\n\r\n")
            #expect(try client.read(to: "\r\n\r\n") == "2\r\nde\r\n0\r\nX-Sum: down")
        }
    }

    @Test(arguments: [1, 16_384, 65_536, 1 << 20])
    func bodiesOfEverySizeArriveByteForByteBothWays(_ count: Int) throws {
        try Loopback.serving { loopback in
            let body = [UInt8].pattern(count)
            let client = try loopback.client()
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: \(count)\r\n\r\n")
            let server = try loopback.upstream.accept()
            let request = try client.sending(body) { try server.readMessage() }
            #expect(request.body == body)
            try server.sendResponseHead(count)
            let response = try server.sending(body) { try client.readMessage() }
            #expect(response.body == body)
        }
    }

    @Test func aLongChunkedBodyArrivesByteForByte() throws {
        try Loopback.serving { loopback in
            let body = [UInt8].pattern(1 << 20)
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            var framed = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
            for start in stride(from: 0, to: body.count, by: 100_000) {
                let chunk = body[start..<min(start + 100_000, body.count)]
                framed += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
            }
            let response = try server.sending(framed + Array("0\r\n\r\n".utf8)) { try client.readMessage() }
            #expect(response.body == body)
        }
    }

    @Test func aBodyUntilTheEndOfTheConnectionIsPassedOnWhole() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
            server.close()
            #expect(try client.readMessage().text == "until the end")
        }
    }

    @Test func theAnswerToHeadHasNoBodyAndTheConnectionGoesOn() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send("HEAD / HTTP/1.1\r\nHost: app\r\n\r\n")
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.sendResponseHead(1000)
            #expect(try client.readMessage(isHead: true)["content-length"] == "1000")
            try client.sendGet("/next")
            #expect(try server.readMessage().path == "/next")
        }
    }

    @Test func theClientIsAskedForItsBodyWhenTheEndpointAsks() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            let server = try loopback.upstream.accept()
            let head = try server.readHead()
            #expect(head["expect"] == "100-continue")
            #expect(!client.hasUnread)
            try server.send("HTTP/1.1 100 Continue\r\n\r\n")
            #expect(try client.readMessage().status == 100)
            try client.send("body")
            #expect(try server.read(4) == Array("body".utf8))
            try server.sendResponse("thanks")
            #expect(try client.readMessage().text == "thanks")
        }
    }

    @Test func anEarlyAnswerReachesTheClientDuringItsUploadAndEndsTheConnection() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1000000\r\n\r\nbegin")
            let server = try loopback.upstream.accept()
            _ = try server.readHead()
            #expect(try server.read(5) == Array("begin".utf8))
            try server.sendResponse("enough", status: "413 Content Too Large")
            let response = try client.readMessage()
            #expect(response.status == 413)
            #expect(response.text == "enough")
            #expect(response["connection"] == "close")
            #expect(client.readEnd() == .ended)
            #expect(server.readEnd() != .timedOut)
        }
    }
}
