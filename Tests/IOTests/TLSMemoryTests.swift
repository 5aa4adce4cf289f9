import Core
import TestSupport
import Testing

@testable import IO

@Suite struct TLSMemoryTests {
    @Test(arguments: [TLSVersion.v12, .v13])
    func anIdleConnectionIsSmall(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let server = try house.server { $0.policy.maxVersion = version }
        let client = try house.client()
        let count = 40
        var bytesEach: [Int] = []
        for _ in 0..<20 where bytesEach.last ?? .max > 20 * 1024 {
            var servers: [Transport] = []
            servers.reserveCapacity(count)
            let grown = try Heap.growth {
                for _ in 0..<count {
                    let pair = try house.pair(server, client)
                    try pair.connect()
                    #expect(pair.exchange("request", from: pair.client, to: pair.server) == "request")
                    #expect(pair.exchange("response", from: pair.server, to: pair.client) == "response")
                    pair.keepServer = true
                    servers.append(pair.server)
                    // Once to find who has spoken, once more to find who has not since.
                    #expect(pair.loop.trimTLS())
                    #expect(!pair.loop.trimTLS())
                }
            }
            bytesEach.append(grown / count)
            for transport in servers { transport.close() }
        }
        #expect(try #require(bytesEach.last) <= 20 * 1024, "\(bytesEach)")
    }

    @Test func anExchangeOnAWarmConnectionKeepsNothing() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        let (output, input) = (Buffer(capacity: 4096), Buffer(capacity: 4096))
        func send(_ from: Transport, _ to: Transport) {
            for _ in 0..<1024 { output.append(65 as UInt8) }
            _ = pair.loop.turn {
                if !output.isEmpty, case .bytes(let count) = from.write(output) { output.consume(count) }
                _ = to.read(into: input)
                return input.readableCount == 1024
            }
            input.clear()
        }
        #expect(
            Heap.isUntouched {
                send(pair.client, pair.server)
                send(pair.server, pair.client)
            })
    }
}
