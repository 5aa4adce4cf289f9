package import Core
package import HTTP

/// The last failures of one worker.
///
/// Its worker writes, the admin thread copies out; a mutex between them is held for one short copy. Nothing is allocated
/// after `init`: texts are cut to fixed lengths. Failures are rare enough for a lock that is never waited for.
package final class FailureRing: Sendable {
    /// Failures kept.
    package static let count = 64

    /// The texts of one failure, in the order they are kept, and how many bytes of each.
    private enum Text: Int, CaseIterable {
        case method, authority, target, requestID, detail

        var bytesMax: Int {
            switch self {
            case .method: 16
            case .authority: 128
            case .target: 512
            case .requestID: 64
            case .detail: 304
            }
        }

        /// Where it begins within a failure's bytes.
        var start: Int { Self.allCases.prefix(rawValue).reduce(0) { $0 + $1.bytesMax } }

        static let bytes = Text.allCases.reduce(0) { $0 + $1.bytesMax }
    }

    private struct Slot {
        var failure: Failure
        var counts: InlineArray<5, UInt16> = .init(repeating: 0)
    }

    private struct Ring {
        var slots: [Slot] = []
        var texts = [UInt8](repeating: 0, count: FailureRing.count * Text.bytes)
        /// Of the next failure.
        var position = 0

        mutating func place(_ text: Text, _ buffer: Buffer, _ range: Range<Int>) {
            let bytes = buffer.bytes(range)
            let start = position * Text.bytes + text.start
            for index in bytes.indices { texts[start + index] = bytes[index] }
            slots[position].counts[text.rawValue] = UInt16(bytes.count)
        }
    }

    private let ring: Locked<Ring>

    package init() {
        var ring = Ring()
        ring.slots.reserveCapacity(Self.count)
        self.ring = Locked(ring)
    }

    /// Keeps a failure, in place of the oldest when the ring is full. `detail` says what went wrong, in a sentence.
    package func record(
        _ record: borrowing ExchangeRecord, head: RequestHead, detail: Buffer, wallNanoseconds: UInt64
    ) {
        let failure = Failure(record, wallNanoseconds: wallNanoseconds)
        let requestID = record.requestID
        ring.withLock { ring in
            if ring.slots.count < Self.count {
                ring.slots.append(Slot(failure: failure))
                ring.position = ring.slots.count - 1
            } else {
                ring.slots[ring.position] = Slot(failure: failure)
            }
            let storage = head.headers.storage
            ring.place(.method, storage, Self.kept(.method, head.methodName, storage))
            ring.place(.authority, storage, Self.kept(.authority, head.authority, storage))
            ring.place(.target, storage, Self.kept(.target, head.target, storage))
            ring.place(.requestID, storage, Self.kept(.requestID, requestID, storage))
            let detailEnd = detail.readerIndex + min(detail.readableCount, Text.detail.bytesMax)
            ring.place(.detail, detail, detail.readerIndex..<detailEnd)
            ring.position = (ring.position + 1) % Self.count
        }
    }

    /// As much of the range as is kept; nothing of one that a head which failed to parse left beyond its bytes.
    private static func kept(_ text: Text, _ range: ByteRange, _ storage: Buffer) -> Range<Int> {
        let range = range.range
        guard range.upperBound <= storage.writerIndex else { return 0..<0 }
        return range.lowerBound..<range.lowerBound + min(range.count, text.bytesMax)
    }

    /// The failures, oldest first. On any thread.
    package func snapshot() -> [Failure] {
        ring.withLock { ring in
            let oldest = ring.slots.count < Self.count ? 0 : ring.position
            return (0..<ring.slots.count).map { offset in
                let position = (oldest + offset) % Self.count
                let slot = ring.slots[position]
                func text(_ text: Text) -> String {
                    let start = position * Text.bytes + text.start
                    return String(
                        decoding: ring.texts[start..<start + Int(slot.counts[text.rawValue])], as: UTF8.self)
                }
                var failure = slot.failure
                failure.method = text(.method)
                failure.authority = text(.authority)
                failure.target = text(.target)
                failure.requestID = text(.requestID)
                failure.detail = text(.detail)
                return failure
            }
        }
    }
}
