import Core
import HTTP

/// The words of `HTTPError.kind`, made once: the property itself spells a case's name anew each time.
enum KindWords {
    private static let words: [[UInt8]] = HTTPError.allCases.map { Array($0.kind.utf8) }

    static func append(_ kind: HTTPError, to output: Buffer) {
        guard let index = HTTPError.allCases.firstIndex(of: kind) else { return }
        let word = words[index]
        output.append(word.span)
    }
}
