import Config
import Core
import HTTP

/// The conditions of all routes beside host and location, in flat arrays: methods, listeners, fields, query parameters,
/// client certificates.
///
/// Owned by the `RouteTable`, built once, then never changed.
struct RouteConditions: Sendable {
    /// Part of one of the arrays.
    private struct Slice {
        var start: UInt32 = 0
        var count: UInt32 = 0
        @inline(__always) var range: Range<Int> { Int(start)..<Int(start + count) }
    }

    private struct Entry {
        /// One bit per `Method`; `other` means the names in `methodNames`.
        var methods: UInt16 = .max
        var methodNames = Slice()
        var listeners = Slice()
        var headers = Slice()
        var query = Slice()
        var certificate = Slice()
        var isGRPC = false
        var beatsRegex = false
        /// How many conditions there are: the more, the earlier among routes of the same location.
        var specificity: UInt32 = 0
    }

    private enum Test: UInt8 { case exact, prefix, regex, present, absent }

    private struct FieldTest {
        var field: HeaderName
        var name: Slice
        var test: Test
        var value = Slice()
        var pattern: Int32 = -1
    }

    /// What of a client's certificate is tested.
    private enum CertificatePart { case itself, subject, alternativeName }

    private struct CertificateTest {
        var part: CertificatePart
        var test: FieldTest
    }

    private var entries: [Entry] = []
    private var listeners: [UInt32] = []
    private var methodNames: [Slice] = []
    private var tests: [FieldTest] = []
    private var certificateTests: [CertificateTest] = []
    private var patterns: [Pattern] = []
    private var bytes: [UInt8] = []

    // MARK: Questions

    @inline(__always)
    func beatsRegex(_ route: Int) -> Bool { entries[route].beatsRegex }

    func specificity(_ route: Int) -> UInt32 { entries[route].specificity }

    /// Whether all conditions of `route` hold. Sets `scratch.patternFailed` and says no when a regular expression hit
    /// its limits.
    @inline(__always)
    func hold(_ route: Int, _ head: RequestHead, listener: Int, _ scratch: RouteScratch) -> Bool {
        let entry = entries.span[route]
        if entry.specificity == 0 { return true }
        return hold(entry, head, listener, scratch)
    }

    private func hold(_ entry: Entry, _ head: RequestHead, _ listener: Int, _ scratch: RouteScratch) -> Bool {
        guard entry.methods >> UInt16(head.method.rawValue) & 1 == 1 else { return false }
        if head.method == .other, entry.methodNames.count > 0 {
            let name = head.bytes(head.methodName)
            var known = false
            for index in entry.methodNames.range where name.equals(text(methodNames[index])) { known = true }
            guard known else { return false }
        }
        if entry.listeners.count > 0 {
            var listed = false
            for index in entry.listeners.range where Int(listeners[index]) == listener { listed = true }
            guard listed else { return false }
        }
        for index in entry.headers.range where !holds(tests[index], head.headers, scratch) { return false }
        for index in entry.query.range where !holds(tests[index], query: head.bytes(head.query), scratch) {
            return false
        }
        if entry.isGRPC, !isGRPC(head.headers) { return false }
        for index in entry.certificate.range where !holds(certificateTests[index], scratch) { return false }
        return true
    }

    private func isGRPC(_ headers: HeaderBlock) -> Bool {
        guard let field = headers.first(.contentType) else { return false }
        return GRPCContentType.isGRPC(headers.value(of: field))
    }

    /// Whether `route` is for this listener, whatever its other conditions.
    func holdsListener(_ route: Int, _ listener: Int) -> Bool {
        let entry = entries[route]
        return entry.listeners.count == 0 || entry.listeners.range.contains { Int(listeners[$0]) == listener }
    }

    private func holds(_ test: CertificateTest, _ scratch: RouteScratch) -> Bool {
        guard let identity = scratch.identity else { return test.test.test == .absent }
        switch test.part {
        case .itself: return test.test.test == .present
        case .subject:
            let subject = identity.subjectBytes
            return holds(test.test, subject.span, scratch)
        case .alternativeName:
            let names = identity.alternativeNameBytes
            if test.test.test == .absent { return names.isEmpty }
            for name in names where holds(test.test, name.span, scratch) { return true }
            return false
        }
    }

    /// Whether a condition holds for a value that is there.
    @inline(__always)
    private func holds(_ test: FieldTest, _ value: Span<UInt8>, _ scratch: RouteScratch) -> Bool {
        switch test.test {
        case .present: return true
        case .absent: return false
        case .exact: return value.equals(text(test.value))
        case .prefix:
            let prefix = text(test.value)
            return value.count >= prefix.count && value.extracting(0..<prefix.count).equals(prefix)
        case .regex: return matches(test, value, scratch)
        }
    }

    private func holds(_ test: FieldTest, _ headers: HeaderBlock, _ scratch: RouteScratch) -> Bool {
        let fields = headers.fields
        for field in fields where field.name == test.field && !field.isRemoved {
            if test.field == .other, !headers.name(of: field).equalsIgnoringCase(text(test.name)) { continue }
            if test.test == .absent { return false }
            if holds(test, headers.value(of: field), scratch) { return true }
        }
        return test.test == .absent
    }

    private func holds(_ test: FieldTest, query: Span<UInt8>, _ scratch: RouteScratch) -> Bool {
        let name = text(test.name)
        var start = 0
        while start < query.count {
            var end = start
            var equals = -1
            while end < query.count, query[end] != UInt8(ascii: "&") {
                if equals < 0, query[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            let nameEnd = equals < 0 ? end : equals
            if PercentEncoding.isEqual(query.extracting(start..<nameEnd), decodedTo: name) {
                let value = query.extracting((equals < 0 ? end : equals + 1)..<end)
                switch test.test {
                case .present: return true
                case .absent: return false
                case .exact: if PercentEncoding.isEqual(value, decodedTo: text(test.value)) { return true }
                case .prefix:
                    if PercentEncoding.isEqual(value, decodedTo: text(test.value), prefixOnly: true) { return true }
                case .regex:
                    let decoded = scratch.value
                    decoded.clear()
                    var index = 0
                    while index < value.count { decoded.append(PercentEncoding.decoded(value, &index)) }
                    if matches(test, decoded.readable, scratch) { return true }
                }
            }
            start = end + 1
        }
        return test.test == .absent
    }

    private func matches(_ test: FieldTest, _ value: Span<UInt8>, _ scratch: RouteScratch) -> Bool {
        switch patterns[Int(test.pattern)].match(value, scratch.pattern) {
        case .match: return true
        case .noMatch: return false
        case .failed:
            scratch.patternFailed = true
            return false
        }
    }

    @inline(__always)
    @_lifetime(borrow self)
    private func text(_ slice: Slice) -> Span<UInt8> { bytes.span.extracting(slice.range) }

    // MARK: Building

    /// Adds the conditions of the next route; `problem` hears what is wrong with a key.
    mutating func append(
        _ route: RouteConfiguration, listeners indices: [Int], problem: (_ what: String, _ message: String) -> Void
    ) {
        var entry = Entry()
        if case .prefix(_, beatsRegex: true) = route.location { entry.beatsRegex = true }
        if !route.methods.isEmpty {
            entry.methods = 0
            entry.methodNames.start = UInt32(methodNames.count)
            for name in route.methods {
                let method = Method(Array(name.utf8).span)
                entry.methods |= 1 << UInt16(method.rawValue)
                guard method == .other else { continue }
                methodNames.append(store(name))
                entry.methodNames.count += 1
            }
        }
        entry.listeners = Slice(start: UInt32(listeners.count), count: UInt32(indices.count))
        listeners += indices.map(UInt32.init)
        entry.headers = append(route.headers, key: "headers", isHeader: true, problem)
        entry.query = append(route.query, key: "query", isHeader: false, problem)
        entry.certificate = append(route.clientCertificate, problem)
        if case .grpc = route.location { entry.isGRPC = true }
        entry.specificity =
            (route.methods.isEmpty ? 0 : 1) + (indices.isEmpty ? 0 : 1) + entry.headers.count + entry.query.count
            + entry.certificate.count + (entry.isGRPC ? 1 : 0)
        entries.append(entry)
    }

    private mutating func append(
        _ condition: ClientCertificateCondition?, _ problem: (String, String) -> Void
    ) -> Slice {
        let start = certificateTests.count
        guard let condition else { return Slice() }
        var parts: [(part: CertificatePart, name: String, test: FieldCondition.Test)] = []
        if let isPresent = condition.isPresent { parts.append((.itself, "present", isPresent ? .present : .absent)) }
        if let subject = condition.subject { parts.append((.subject, "subject", subject)) }
        if let san = condition.san { parts.append((.alternativeName, "san", san)) }
        for (part, name, test) in parts {
            var compiled = FieldTest(field: .other, name: Slice(), test: .present)
            set(test, of: &compiled, "client_certificate.\(name)", problem)
            certificateTests.append(CertificateTest(part: part, test: compiled))
        }
        return Slice(start: UInt32(start), count: UInt32(certificateTests.count - start))
    }

    private mutating func append(
        _ conditions: [FieldCondition], key: String, isHeader: Bool, _ problem: (String, String) -> Void
    ) -> Slice {
        let start = tests.count
        for condition in conditions {
            let field = isHeader ? HeaderName(Array(condition.name.utf8).span) : .other
            var test = FieldTest(field: field, name: store(condition.name), test: .present)
            set(condition.test, of: &test, "\(key).\(condition.name)", problem)
            tests.append(test)
        }
        return Slice(start: UInt32(start), count: UInt32(tests.count - start))
    }

    private mutating func set(
        _ condition: FieldCondition.Test, of test: inout FieldTest, _ key: String, _ problem: (String, String) -> Void
    ) {
        switch condition {
        case .present: test.test = .present
        case .absent: test.test = .absent
        case .exact(let value):
            test.test = .exact
            test.value = store(value)
        case .prefix(let value):
            test.test = .prefix
            test.value = store(value)
        case .regex(let text):
            test.test = .regex
            do throws(Pattern.CompileError) {
                patterns.append(try Pattern(text))
                test.pattern = Int32(patterns.count - 1)
            } catch {
                problem(key, error.description)
            }
        }
    }

    private mutating func store(_ text: String) -> Slice {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return Slice(start: UInt32(start), count: UInt32(bytes.count - start))
    }
}
