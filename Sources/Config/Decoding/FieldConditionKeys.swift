extension DecodingContext {
    /// Conditions by name: a text for an exact value, or `{exact|prefix|regex: text}` or `{present: flag}`.
    ///
    /// Header names (`areFields`) are tokens and the same in any case; parameter names are any text.
    func conditions(_ entries: [Node.Entry], _ key: String, areFields: Bool) -> [FieldCondition] {
        var names: Set<String> = []
        var conditions: [FieldCondition] = []
        for entry in entries {
            if areFields {
                guard fieldName(entry.key, at: entry.keyMark, key) != nil else { continue }
                guard names.insert(HostText.lowercased(entry.key)).inserted else {
                    report(entry.keyMark, "\(key): '\(entry.key)' stands here twice; case does not matter")
                    continue
                }
            } else if !(1...128).contains(entry.key.utf8.count) {
                report(entry.keyMark, "\(key): a parameter's name has 1 to 128 bytes")
                continue
            }
            if let test = test(entry.value, entry.key) {
                conditions.append(FieldCondition(name: entry.key, test: test))
            }
        }
        return conditions
    }

    /// One condition; `name` is what it is on.
    func test(_ node: Node, _ name: String) -> FieldCondition.Test? {
        let shown = Node.excerpt(name)
        guard case .mapping = node.content else {
            return text(node, shown, expected: "text, or one of exact, prefix, regex, present").map { .exact($0) }
        }
        var tests: [FieldCondition.Test] = []
        var given = 0
        MappingDecoder.decode(node, "a condition", self) { keys in
            for key in ["exact", "prefix", "regex"] {
                guard let node = keys.node(key) else { continue }
                given += 1
                guard let text = self.text(node, key) else { continue }
                switch key {
                case "exact": tests.append(.exact(text))
                case "prefix": tests.append(.prefix(text))
                default:
                    if self.regex(text, ignoresCase: false, at: node.mark, shown) != nil { tests.append(.regex(text)) }
                }
            }
            if let isPresent = keys.flag("present") {
                given += 1
                tests.append(isPresent ? .present : .absent)
            }
        }
        if given > 1 {
            report(node.mark, "\(shown): a condition is one of exact, prefix, regex and present, found \(given)")
        } else if given == 0, case .mapping(let entries) = node.content, entries.isEmpty {
            report(node.mark, "\(shown): a condition needs one of exact, prefix, regex and present")
        }
        return tests.first
    }
}

extension JSONPrinter {
    mutating func member(_ key: String, conditions: [FieldCondition]) {
        object(key) { object in
            for condition in conditions {
                object.member(condition.name, test: condition.test)
            }
        }
    }

    mutating func member(_ key: String, test: FieldCondition.Test) {
        switch test {
        case .exact(let text): member(key, text)
        case .prefix(let text): object(key) { $0.member("prefix", text) }
        case .regex(let pattern): object(key) { $0.member("regex", pattern) }
        case .present: object(key) { $0.member("present", true) }
        case .absent: object(key) { $0.member("present", false) }
        }
    }
}
