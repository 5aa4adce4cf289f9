import Core
import Testing

@testable import Traffic

@Suite struct GRPCHealthTests {
    private typealias Failure = GRPCHealthReader.Failure

    private static func read(_ pieces: [[UInt8]]) -> Result<GRPCHealth.Status, Failure> {
        var reader = GRPCHealthReader()
        do throws(Failure) {
            for piece in pieces { try reader.read(piece.span) }
            return .success(try reader.finish())
        } catch {
            return .failure(error)
        }
    }

    private static func message(_ bytes: [UInt8]) -> [UInt8] {
        [0, 0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }

    private static func request(_ service: String) -> [UInt8] {
        let output = Buffer(capacity: 16)
        GRPCHealth.appendRequest(service: Array(service.utf8).span, to: output)
        let bytes = output.readable
        return bytes.indices.map { bytes[$0] }
    }

    // MARK: The request

    @Test func aRequestNamesItsServiceAndOneForTheWholeServerIsEmpty() {
        #expect("\(GRPCHealth.path)" == "/grpc.health.v1.Health/Check")
        #expect(Self.request("") == [0, 0, 0, 0, 0])
        #expect(Self.request("shop") == [0, 0, 0, 0, 6, 0x0A, 4] + Array("shop".utf8))
    }

    @Test func aLongNameHasALongLength() {
        let name = String(repeating: "n", count: 300)
        #expect(Self.request(name) == [0, 0, 0, 1, 47, 0x0A, 0xAC, 0x02] + Array(name.utf8))
    }

    // MARK: The response

    @Test(
        arguments: [
            ([], .unknown), ([8, 0], .unknown), ([8, 1], .serving), ([8, 2], .notServing), ([8, 3], .serviceUnknown),
            // Statuses of later versions, a negative one among them.
            ([8, 4], .unknown), ([8, 0x81, 0x02], .unknown),
            ([8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], .unknown),
            // A number longer than it need be, and the last of two.
            ([8, 0x81, 0], .serving), ([8, 2, 8, 1], .serving),
            // Unknown fields of every kind, before and after.
            ([0x10, 7, 8, 1], .serving), ([0x12, 3, 8, 2, 2, 8, 1], .serving), ([8, 1, 0x12, 0], .serving),
            ([0x11, 8, 2, 8, 2, 8, 2, 8, 2, 8, 1], .serving), ([0x15, 8, 2, 8, 2, 8, 1], .serving),
            ([0x82, 0x7D, 1, 9, 8, 1], .serving),
            // The field's number with another kind of value.
            ([8, 1, 0x0A, 1, 2], .serving),
        ] as [([UInt8], GRPCHealth.Status)])
    func aMessageIsUnderstoodHoweverItIsCut(_ bytes: [UInt8], _ expected: GRPCHealth.Status) {
        let message = Self.message(bytes)
        #expect(Self.read([message]) == .success(expected))
        #expect(Self.read(message.map { [$0] }) == .success(expected))
        for cut in 0...message.count {
            #expect(Self.read([Array(message[..<cut]), Array(message[cut...])]) == .success(expected))
            if cut < message.count {
                #expect(Self.read([Array(message[..<cut])]) == .failure(.notOneMessage), "cut at \(cut)")
            }
        }
    }

    @Test(
        arguments: [
            // A value that is not there, or not whole.
            [8], [8, 0x81], [0x12], [0x12, 1], [0x12, 2, 0], [0x11, 1, 2, 3, 4, 5, 6, 7], [0x15, 1, 2, 3],
            // A tag that is not whole, field 0, a field past the highest, groups, kinds that do not exist.
            [0x88], [0], [0x80, 0x80, 0x80, 0x80, 0x10, 0], [0x0B], [0x0C], [0x0E, 0], [0x0F, 0],
            // Numbers of more than 64 bits.
            [8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
            [8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
            // A length past everything.
            [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ] as [[UInt8]])
    func whatIsNotTheEncodingIsMalformed(_ bytes: [UInt8]) {
        #expect(Self.read([Self.message(bytes)]) == .failure(.malformed))
    }

    @Test func onlyOnePlainMessageOfASensibleLengthIsAnAnswer() {
        let serving = Self.message([8, 1])
        #expect(Self.read([serving, [0]]) == .failure(.notOneMessage))
        #expect(Self.read([serving, serving]) == .failure(.notOneMessage))
        #expect(Self.read([]) == .failure(.notOneMessage))
        #expect(Self.read([[1] + serving.dropFirst()]) == .failure(.compressed))
        #expect(Self.read([[0, 0, 0, 0x10, 1]]) == .failure(.tooLong))
        #expect(Self.read([[0, 0xFF, 0xFF, 0xFF, 0xFF]]) == .failure(.tooLong))
        let long = [UInt8](repeating: 0, count: GRPCHealthReader.messageBytesMax - 5)
        #expect(Self.read([Self.message([0x12, 0xFB, 0x1F] + long + [8, 1])]) == .success(.serving))
    }

    @Test func mutatedMessagesAreReadOrRefused() {
        var random = Random(seed: 20)
        let whole = Self.message([0x12, 3, 1, 2, 3, 8, 1, 0x15, 1, 2, 3, 4])
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0...random.next() % 3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = Int(random.next() % UInt64(bytes.count))
            let outcome = Self.read([bytes])
            // The same however it is cut.
            #expect(Self.read([Array(bytes[..<cut]), Array(bytes[cut...])]) == outcome)
            if case .success = outcome { outcomes.read += 1 } else { outcomes.refused += 1 }
        }
        #expect(outcomes.read > 1000 && outcomes.refused > 1000)
    }

    @Test func namesAreThoseOfTheProtocol() {
        let names = GRPCHealth.Status.allCases.map { "\($0.name)" }
        #expect(names == ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"])
    }
}
