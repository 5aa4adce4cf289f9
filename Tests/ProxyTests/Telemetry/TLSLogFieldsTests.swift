import Config
import Core
import HTTP
import Testing

@testable import Proxy

@Suite struct TLSLogFieldsTests {
    private let fields = TLSLogFields(
        version: "1.3", cipher: "TLS_AES_128_GCM_SHA256", isResumed: true, serverName: "shop.local",
        subject: "CN=\"a\" b,O=Shöp")

    private func line(_ format: AccessLogConfiguration.Format, _ fields: TLSLogFields?, grpcStatus: Int8 = -1)
        -> [UInt8]
    {
        var record = ExchangeRecord.sample
        record.grpcStatus = grpcStatus
        let output = Buffer(capacity: 256)
        let formatter = AccessLogFormatter(format, names: .sample)
        formatter.append(
            record, head: .sample(), upstreamAddress: [UInt8]().span, tls: fields?.rendered(format) ?? [],
            wallNanoseconds: 0, to: output)
        let bytes = output.readable
        return bytes.indices.map { bytes[$0] }
    }

    @Test func jsonHasTheNamesOfOpenTelemetry() throws {
        let value = try #require(JSONValue(line(.json, fields, grpcStatus: 14)))
        #expect(value["tls.protocol.version"] == "1.3")
        #expect(value["tls.cipher"] == "TLS_AES_128_GCM_SHA256")
        #expect(value["tls.resumed"] == .bool(true))
        #expect(value["tls.client.server_name"] == "shop.local")
        #expect(value["tls.client.subject"] == "CN=\"a\" b,O=Shöp")
        #expect(value["rpc.grpc.status_code"] == 14)
        #expect(value["sidecar.listener"] == "web")
    }

    @Test func textHasThemAsKeysAndValuesWithoutASpaceWithin() {
        let text = String(decoding: line(.text, fields, grpcStatus: 0), as: UTF8.self)
        #expect(
            text.contains(
                " grpc_status=0 tls_version=1.3 tls_cipher=TLS_AES_128_GCM_SHA256 tls_resumed=true "
                    + "tls_server_name=shop.local tls_client_subject=CN=\\x22a\\x22\\x20b,O=Sh\\xc3\\xb6p listener=web "
            ))
    }

    @Test func whatDoesNotApplyIsLeftOut() throws {
        var few = fields
        few.serverName = nil
        few.subject = nil
        few.isResumed = false
        let value = try #require(JSONValue(line(.json, few)))
        #expect(value["tls.resumed"] == .bool(false))
        for absent in ["tls.client.server_name", "tls.client.subject", "rpc.grpc.status_code"] {
            #expect(value[absent] == nil)
        }
        for plain in [line(.json, nil), line(.text, nil)] {
            #expect(!String(decoding: plain, as: UTF8.self).contains("tls"))
        }
    }
}
