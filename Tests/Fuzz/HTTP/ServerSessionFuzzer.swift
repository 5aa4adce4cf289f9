import HTTP

/// libFuzzer's entry for a server's HTTP/2 session. The first byte says where the input is cut, the rest is what a client sends
/// after its SETTINGS.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzServerSession(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    unsafe SessionAgreement.check(.server, Span(_unsafeStart: data, count: count))
    return 0
}
