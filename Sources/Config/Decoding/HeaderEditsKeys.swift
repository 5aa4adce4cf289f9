extension HeaderEdits {
    /// `set: {name: value}`, `add: {name: value or [values]}`, `remove: [names]`.
    mutating func decode(_ entry: Node.Entry, _ context: DecodingContext) {
        MappingDecoder.decode(entry.value, entry.key, context) { keys in
            if let entries = keys.entries("set") { self.decodeSet(entries, context) }
            for entry in keys.entries("add") ?? [] {
                guard let name = context.editableFieldName(entry.key, at: entry.keyMark, "add") else { continue }
                if Self.isHost(name) {
                    context.report(entry.keyMark, "add: a request has one Host; set it instead")
                    continue
                }
                let values: [Node] =
                    if case .sequence(let values) = entry.value.content { values } else { [entry.value] }
                for value in values {
                    guard let text = context.fieldValue(value, name) else { continue }
                    self.add.append(Field(name: name, value: text))
                }
            }
            guard let node = keys.node("remove") else { return }
            for (text, mark) in context.texts(node, "remove") {
                guard let name = context.editableFieldName(text, at: mark, "remove") else { continue }
                if Self.isHost(name) {
                    context.report(mark, "remove: every request has a Host; set it instead")
                } else {
                    self.remove.append(name)
                }
            }
        }
    }

    private mutating func decodeSet(_ entries: [Node.Entry], _ context: DecodingContext) {
        var names: Set<String> = []
        for entry in entries {
            guard let name = context.editableFieldName(entry.key, at: entry.keyMark, "set") else { continue }
            guard names.insert(HostText.lowercased(name)).inserted else {
                context.report(entry.keyMark, "set: '\(name)' stands here twice; case does not matter")
                continue
            }
            guard let text = context.fieldValue(entry.value, name) else { continue }
            set.append(Field(name: name, value: text))
        }
    }

    private static func isHost(_ name: String) -> Bool { HostText.lowercased(name) == "host" }

    func encode(_ json: inout JSONPrinter) {
        json.object { object in
            if !set.isEmpty {
                object.object("set") { for field in set { $0.member(field.name, field.value) } }
            }
            if !add.isEmpty {
                object.object("add") { for (name, values) in valuesByName { $0.member(name, strings: values) } }
            }
            if !remove.isEmpty { object.member("remove", strings: remove) }
        }
    }

    /// The added values; all of one name stand together.
    private var valuesByName: [(String, [String])] {
        var result: [(name: String, values: [String])] = []
        for field in add {
            if result.last?.name == field.name {
                result[result.count - 1].values.append(field.value)
            } else {
                result.append((field.name, [field.value]))
            }
        }
        return result
    }
}
