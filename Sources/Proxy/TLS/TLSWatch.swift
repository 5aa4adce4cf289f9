import IO

/// The files of one listener's or service's TLS: whether they have changed, and whether they can be used as they are.
///
/// Used on the main thread. Files are often replaced one after another, and a certificate does not belong to the key
/// beside it for a moment: a failure counts only once the files have rested from one check to the next.
final class TLSWatch {
    enum Outcome: Equatable {
        case unchanged
        /// A new context is in use.
        case reloaded
        /// The context before stays in use.
        case failed(TLSError)
    }

    /// The label that names it, `listener` or `service`.
    let kind: StaticString
    let name: String
    /// Why the files as they are cannot be used; nil when they are what is in use.
    private(set) var problem: TLSError?
    private let files: FileWatch
    private let reload: () throws(TLSError) -> Void
    /// The last attempt failed, and counts if the files are the same when they are looked at next.
    private var isDoubtful = false

    /// `files` must be from before what is in use was read. `reload` reads them and puts the new context in its place.
    init(
        _ kind: StaticString, _ name: String, _ files: FileWatch, reload: @escaping () throws(TLSError) -> Void
    ) {
        self.kind = kind
        self.name = name
        self.files = files
        self.reload = reload
    }

    /// Looks at the files, and reads them if they have changed.
    func check() -> Outcome {
        let hasChanged = files.hasChanged()
        guard hasChanged || isDoubtful else { return .unchanged }
        do throws(TLSError) {
            try reload()
        } catch {
            isDoubtful = hasChanged
            guard !hasChanged else { return .unchanged }
            problem = error
            return .failed(error)
        }
        isDoubtful = false
        problem = nil
        return .reloaded
    }

    /// As `/config` tells it.
    var problemText: String? { problem.map { "\(kind) \(name): tls: \($0)" } }
}
