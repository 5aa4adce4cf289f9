/// One step of a YAML document: what libyaml's parser saw next.
struct YAMLEvent {
    enum Kind {
        case streamEnd, documentStart, documentEnd, scalar, sequenceStart, mappingStart, collectionEnd, alias, none
    }

    var kind: Kind
    var mark: Mark
    /// The text of a scalar, the name of an alias.
    var text = ""
    /// The name by which aliases will repeat this node.
    var anchor: String?
    /// Whether a scalar stands without quotes.
    var isPlain = false
    /// Whether a `!tag` stands before it.
    var isTagged = false
}
