import Core

@testable import HTTP

/// What a decoder makes of a header block, in words that can be compared.
struct HPACKTrace: Equatable {
    /// `name: value`, with a `!` before it if it is never to be indexed.
    var fields: [String] = []
    /// The sizes of the fields (RFC 9113 §6.5.2).
    var sizes: [Int] = []
    var error: HPACKError?

    /// Decodes the whole block, and checks what every field says about itself.
    static func decoding(_ block: Span<UInt8>, with decoder: HPACKDecoder) -> HPACKTrace {
        var trace = HPACKTrace()
        let storage = Buffer(capacity: 1)
        var position = 0
        do throws(HPACKError) {
            while true {
                let start = storage.writerIndex
                guard let field = try decoder.next(block, &position, into: storage) else { break }
                precondition(field.nameStart == start && field.lineEnd == storage.writerIndex)
                precondition(field.valueStart == field.nameStart + field.nameCount + 2)
                precondition(field.lineEnd == field.valueStart + field.valueCount + 2)
                let name = storage.bytes(field.nameStart..<field.nameStart + field.nameCount)
                precondition(field.pseudo == HPACKPseudo(name))
                precondition(field.name == (field.pseudo == .none ? HeaderName(name) : .other))
                precondition(storage.bytes(field.nameStart + field.nameCount..<field.valueStart).text == ": ")
                precondition(storage.bytes(field.lineEnd - 2..<field.lineEnd).text == "\r\n")
                let line = storage.bytes(field.nameStart..<field.lineEnd - 2).text
                trace.fields.append(field.isNeverIndexed ? "!" + line : line)
                trace.sizes.append(field.size)
            }
            precondition(position == block.count, "an end before the block's")
        } catch {
            trace.error = error
        }
        return trace
    }

    /// Goes over the whole block without keeping anything; only sizes and error are told.
    static func skipping(_ block: Span<UInt8>, with decoder: HPACKDecoder) -> HPACKTrace {
        var trace = HPACKTrace()
        var position = 0
        do throws(HPACKError) {
            while let size = try decoder.skip(block, &position) { trace.sizes.append(size) }
        } catch {
            trace.error = error
        }
        return trace
    }

    static func decoding(_ block: [UInt8], with decoder: HPACKDecoder) -> HPACKTrace {
        decoding(block.span, with: decoder)
    }
}

extension HPACKDynamicTable {
    /// The names and values, newest first.
    var contents: [String] {
        (0..<count).map { age in
            let entry = self[age]
            let line = unsafe UnsafeRawBufferPointer(start: line(of: entry), count: entry.lineCount)
            let name = unsafe line.prefix(Int(entry.nameCount))
            let value = unsafe line.dropFirst(entry.valueOffset).prefix(Int(entry.valueCount))
            return unsafe String(decoding: name, as: UTF8.self) + ": " + String(decoding: value, as: UTF8.self)
        }
    }
}

/// The bytes that hexadecimal digits spell; spaces are skipped.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap(ASCII.hexDigit)
    precondition(digits.count.isMultiple(of: 2))
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
