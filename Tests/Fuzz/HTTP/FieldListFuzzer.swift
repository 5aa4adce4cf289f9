/// libFuzzer's entry for requests of HTTP/2: one header block, with the flag END_STREAM in the first byte.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFieldList(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    unsafe SessionAgreement.checkFields(Span(_unsafeStart: data, count: count))
    return 0
}
