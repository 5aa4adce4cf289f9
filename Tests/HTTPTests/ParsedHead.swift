import Core

@testable import HTTP

/// What a parser made of some bytes, as plain values that can be compared and printed.
struct ParsedHead: Equatable {
    enum Outcome: Equatable {
        case complete(Int, ParsedHead)
        case needMore
        case failed(HTTPError)

        var head: ParsedHead? { if case .complete(_, let head) = self { head } else { nil } }
        var error: HTTPError? { if case .failed(let error) = self { error } else { nil } }
    }

    var startLine: [String]
    var form = TargetForm.origin
    var framing: BodyFraming
    var keepAlive: Bool
    var expectsContinue = false
    var connection: ConnectionOptions
    var keepAliveTimeout: UInt32?
    var fields: [String]

    static let limits = HeadLimits(startLineBytesMax: 8192, headBytesMax: 16384, fieldsMax: 100)

    static func request(_ input: Span<UInt8>, scanned: Int = 0, limits: HeadLimits = limits) -> Outcome {
        let head = RequestHead()
        do throws(HTTPError) {
            switch try H1RequestParser.parse(input, into: head, limits: limits, scanned: scanned) {
            case .complete(let count): return .complete(count, ParsedHead(head))
            case .needMore: return .needMore
            }
        } catch {
            return .failed(error)
        }
    }

    static func request(_ text: String, limits: HeadLimits = limits) -> Outcome {
        request(Array(text.utf8).span, limits: limits)
    }

    static func response(
        _ input: Span<UInt8>, to method: HTTP.Method = .get, scanned: Int = 0, limits: HeadLimits = limits
    ) -> Outcome {
        let head = ResponseHead()
        do throws(HTTPError) {
            switch try H1ResponseParser.parse(
                input, into: head, requestMethod: method, limits: limits, scanned: scanned)
            {
            case .complete(let count): return .complete(count, ParsedHead(head))
            case .needMore: return .needMore
            }
        } catch {
            return .failed(error)
        }
    }

    static func response(_ text: String, to method: HTTP.Method = .get, limits: HeadLimits = limits) -> Outcome {
        response(Array(text.utf8).span, to: method, limits: limits)
    }

    init(_ head: RequestHead) {
        startLine = [
            "\(head.method)", head.bytes(head.methodName).text, head.bytes(head.target).text, "\(head.version)",
            head.bytes(head.authority).text, head.bytes(head.path).text,
            head.hasQuery ? head.bytes(head.query).text : "-",
        ]
        form = head.targetForm
        framing = head.framing
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
        connection = head.connection
        fields = Self.lines(of: head.headers)
    }

    init(_ head: ResponseHead) {
        startLine = ["\(head.version)", "\(head.status)", head.bytes(head.reason).text]
        framing = head.framing
        keepAlive = head.keepAlive
        connection = head.connection
        keepAliveTimeout = head.keepAliveTimeoutSeconds
        fields = Self.lines(of: head.headers)
    }

    /// `name: value` of each field not removed, and the name it is known by.
    static func lines(of block: HeaderBlock) -> [String] {
        block.fields.filter { !$0.isRemoved }.map {
            "\(block.name(of: $0).text): \(block.value(of: $0).text) (\($0.name))"
        }
    }
}

extension Buffer {
    /// A buffer that holds `text`.
    convenience init(_ text: String) {
        self.init(capacity: max(64, text.utf8.count))
        append(text)
    }

    var text: String { readable.text }
}
