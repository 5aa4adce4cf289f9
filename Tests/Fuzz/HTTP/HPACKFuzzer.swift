import Core
import HTTP

/// libFuzzer's entry for header blocks. The input is blocks of one connection, each after a byte that says how long it
/// is, up to 63 bytes, and with the top bit set that it is skipped by one of the decoders.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHPACK(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // SAFETY: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe Span(_unsafeStart: data, count: count)
    let decoder = HPACKDecoder(tableBytesMax: 8192)
    let sometimes = HPACKDecoder(tableBytesMax: 8192)
    let relayed = RelayedFields()
    var start = 0
    while start < count {
        let mark = input[start]
        let end = min(count, start + 1 + Int(mark & 0x3F))
        let block = input.extracting(start + 1..<end)
        start = end
        let kept = DecodedFields(block, decoder)
        if mark >= 0x80 {
            let skipped = DecodedFields(skipping: block, sometimes)
            precondition(skipped.sizes == kept.sizes && skipped.error == kept.error, "skipped differently")
        } else {
            precondition(DecodedFields(block, sometimes) == kept, "decoded differently after skipping")
        }
        relayed.check(kept)
        if kept.error != nil { break }
    }
    return 0
}

/// What a decoder makes of one block.
struct DecodedFields: Equatable {
    /// The fields' lines, one after the other.
    private(set) var lines: [UInt8] = []
    private(set) var fields: [Field] = []
    private(set) var sizes: [Int] = []
    private(set) var error: HPACKError?

    struct Field: Equatable {
        let name: Range<Int>
        let value: Range<Int>
        let pseudo: HPACKPseudo
        let isNeverIndexed: Bool
    }

    init(_ block: Span<UInt8>, _ decoder: HPACKDecoder) {
        let storage = Buffer(capacity: 1)
        var position = 0
        do throws(HPACKError) {
            while let field = try decoder.next(block, &position, into: storage) {
                fields.append(
                    Field(
                        name: field.nameStart..<field.nameStart + field.nameCount,
                        value: field.valueStart..<field.valueStart + field.valueCount, pseudo: field.pseudo,
                        isNeverIndexed: field.isNeverIndexed))
                sizes.append(field.size)
            }
            precondition(position == block.count)
        } catch {
            self.error = error
        }
        let lineBytes = storage.readable
        lines = lineBytes.indices.map { lineBytes[$0] }
    }

    init(skipping block: Span<UInt8>, _ decoder: HPACKDecoder) {
        var position = 0
        do throws(HPACKError) {
            while let size = try decoder.skip(block, &position) { sizes.append(size) }
        } catch {
            self.error = error
        }
    }
}

/// A second connection, to which all fields are passed on.
final class RelayedFields {
    private let encoder = HPACKEncoder(tableBytesMax: 1024)
    private let decoder = HPACKDecoder(tableBytesMax: 1024)
    private let output = Buffer(capacity: 1024)

    /// Passes the fields on, and checks that they arrive as they are, with their names in lower case.
    func check(_ decoded: DecodedFields) {
        let output = self.output
        output.clear()
        encoder.beginBlock(into: output)
        var expected: [[UInt8]] = []
        for field in decoded.fields {
            let name = Array(decoded.lines[field.name])
            let value = Array(decoded.lines[field.value])
            switch field.pseudo {
            case .none:
                let known = HeaderName(name.span)
                encoder.append(
                    known, name: name.span, value: value.span, isNeverIndexed: field.isNeverIndexed, into: output)
            case .status, .unknown: continue
            default: encoder.append(field.pseudo, value.span, into: output)
            }
            expected.append(name.map(ASCII.lowercased) + [ASCII.colon, ASCII.space] + value)
        }
        let arrived = DecodedFields(output.readable, decoder)
        precondition(arrived.error == nil, "wrote what cannot be read")
        precondition(arrived.fields.count == expected.count)
        for (field, line) in zip(arrived.fields, expected) {
            precondition(arrived.lines[field.name.lowerBound..<field.value.upperBound].elementsEqual(line))
        }
    }
}
