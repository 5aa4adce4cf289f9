/// libFuzzer's entry for response heads. The first byte says where the input is cut, the rest is the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponse(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    unsafe HeadAgreement.check(Span(_unsafeStart: data, count: count), parse: HeadAgreement.response)
    return 0
}
