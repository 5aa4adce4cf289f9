import COpenSSL
import Glibc

/// What is worth telling of a certificate that is served.
package struct TLSCertificateInfo: Equatable, Sendable {
    package let path: String
    /// DNS names in lower case, wildcards as `*.example.com`: the alternative ones, else the subject's common name.
    package let names: [String]
    /// Seconds since 1970 in UTC. One that is over is served all the same: clients decide.
    package let notAfter: Int64

    package func hasExpired(at unixSeconds: Int64) -> Bool { unixSeconds > notAfter }

    @unsafe
    init(path: String, _ certificate: OpaquePointer) {
        self.path = path
        // SAFETY: the certificate is alive, by the caller's word.
        let alternatives = unsafe TLSName.alternatives(of: certificate).filter { $0.kind == .dns }.map(\.value)
        names = (unsafe alternatives.isEmpty ? Self.commonName(of: certificate).map { [$0] } ?? [] : alternatives)
            .map { $0.lowercased() }
        notAfter = unsafe Self.unixSeconds(X509_get0_notAfter(certificate))
    }

    @unsafe
    private static func commonName(of certificate: OpaquePointer) -> String? {
        // SAFETY: OpenSSL writes at most the size given, terminated.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            let subject = unsafe X509_get_subject_name(certificate)
            let count = unsafe X509_NAME_get_text_by_NID(
                subject, NID_commonName, text.baseAddress, Int32(text.count))
            guard count > 0, unsafe strlen(text.baseAddress!) == Int(count) else { return nil }
            return unsafe String(cString: text.baseAddress!)
        }
    }

    @unsafe
    private static func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var parts = unsafe tm()
        // SAFETY: the time is the certificate's; the parts live for the calls.
        guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
        return Int64(unsafe timegm(&parts))
    }
}
