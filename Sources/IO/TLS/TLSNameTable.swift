/// Which certificates serve which name: the exact one, else a wildcard for one label, else the default.
///
/// Made once from the certificates' names; a value, shared by all workers. What is looked up is a number that says which
/// set of certificates is meant, one certificate for each type of key.
struct TLSNameTable: Sendable {
    /// The certificates of each set, by their index. The first set is the default.
    private(set) var sets: [[Int]] = []
    private var exact: [String: Int] = [:]
    /// By what follows the `*.`.
    private var wildcards: [String: Int] = [:]

    /// From each certificate's names, in lower case, and its type of key. For one name and type the first one counts.
    init(_ certificates: [(names: [String], keyType: Int32)]) {
        var members: [String: [Int]] = [:]
        var order: [String] = []
        for (index, certificate) in certificates.enumerated() {
            for name in certificate.names {
                let present = members[name]
                if present == nil { order.append(name) }
                if present?.contains(where: { certificates[$0].keyType == certificate.keyType }) ?? false { continue }
                members[name, default: []].append(index)
            }
        }
        // The first certificate's first name stands for the default; it may have none at all.
        sets.append(certificates.first?.names.first.flatMap { members[$0] } ?? [0])
        for name in order {
            let wanted = members[name, default: [0]]
            let set = sets.firstIndex(of: wanted) ?? sets.count
            if set == sets.count { sets.append(wanted) }
            if name.hasPrefix("*.") {
                wildcards[String(name.dropFirst(2))] = set
            } else {
                exact[name] = set
            }
        }
    }

    /// The set for the name that a client sent, in any case; 0 when nothing fits.
    func set(for name: String) -> Int {
        let name = name.lowercased()
        if let set = exact[name] { return set }
        guard !wildcards.isEmpty, let dot = name.firstIndex(of: "."), dot > name.startIndex else { return 0 }
        return wildcards[String(name[name.index(after: dot)...])] ?? 0
    }
}
