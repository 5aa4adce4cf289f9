import CYAML

/// libyaml's pull parser over one text in memory.
///
/// Lives while `withEvents` runs. Each `next` returns one event as a value of Swift: nothing of libyaml's memory gets out.
@safe struct YAMLParser: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let source: SourceText

    /// Runs `body` with a parser at the beginning of `source`.
    static func withEvents<Result>(
        of source: SourceText, _ body: (borrowing YAMLParser) throws(SyntaxProblem) -> Result
    ) throws(SyntaxProblem) -> Result {
        let bytes = source.bytes
        // SAFETY: the parser reads from the buffer until it is deleted, which the deinit does within the closure.
        return try unsafe bytes.withUnsafeBufferPointer { buffer throws(SyntaxProblem) in
            let parser = try unsafe YAMLParser(buffer, source: source)
            return try body(parser)
        }
    }

    private init(_ buffer: UnsafeBufferPointer<UInt8>, source: SourceText) throws(SyntaxProblem) {
        // SAFETY: allocated here, initialized by libyaml before any use, freed by the deinit (or below on failure).
        unsafe parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        self.source = source
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            // SAFETY: libyaml has freed what it had allocated itself when initializing fails.
            throw SyntaxProblem(mark: .none, message: "out of memory")
        }
        // SAFETY: `withEvents` keeps the buffer alive as long as this parser.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
    }

    deinit {
        // SAFETY: initialized in init, not used after this.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    /// The next event. After `streamEnd` or a problem there is none.
    func next() throws(SyntaxProblem) -> YAMLEvent {
        // SAFETY: the event is filled by libyaml, read through its own type's members, and deleted before this returns;
        // strings are copied out, with the lengths libyaml gives or to their terminating NUL.
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem }
        defer { unsafe yaml_event_delete(&event) }
        let start = unsafe event.start_mark
        var result = YAMLEvent(kind: .none, mark: source.mark(start))
        switch unsafe event.type {
        case YAML_STREAM_END_EVENT: result.kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: result.kind = .collectionEnd
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            result.kind = .scalar
            result.text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            result.anchor = unsafe Self.text(scalar.anchor)
            result.isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            result.isTagged = unsafe scalar.tag != nil
        case YAML_SEQUENCE_START_EVENT:
            result.kind = .sequenceStart
            result.anchor = unsafe Self.text(event.data.sequence_start.anchor)
            result.isTagged = unsafe event.data.sequence_start.tag != nil
        case YAML_MAPPING_START_EVENT:
            result.kind = .mappingStart
            result.anchor = unsafe Self.text(event.data.mapping_start.anchor)
            result.isTagged = unsafe event.data.mapping_start.tag != nil
        case YAML_ALIAS_EVENT:
            result.kind = .alias
            result.text = unsafe Self.text(event.data.alias.anchor) ?? ""
        default: break
        }
        return result
    }

    private static func text(_ pointer: UnsafePointer<yaml_char_t>?) -> String? {
        // SAFETY: libyaml's names end with NUL.
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    /// What libyaml says of its failure, as one sentence.
    private var problem: SyntaxProblem {
        // SAFETY: the parser is initialized; its messages are string literals of the library.
        let state = unsafe parser.pointee
        let said = unsafe state.problem.map { unsafe String(cString: $0) } ?? "out of memory"
        if unsafe state.error == YAML_READER_ERROR {
            return SyntaxProblem(mark: source.mark(offset: unsafe state.problem_offset), message: said)
        }
        guard unsafe state.error != YAML_MEMORY_ERROR else { return SyntaxProblem(mark: .none, message: said) }
        let place = unsafe state.problem_mark
        let mark = source.mark(place)
        if said.hasPrefix("found character that cannot start any token") {
            return SyntaxProblem(mark: mark, message: source.explainCharacter(at: place.index))
        }
        guard let context = unsafe state.context.map({ unsafe String(cString: $0) }) else {
            return SyntaxProblem(mark: mark, message: said)
        }
        let began = unsafe state.context_mark
        let line = began.line + 1 == Int(mark.line) ? "" : " that began on line \(began.line + 1)"
        return SyntaxProblem(mark: mark, message: "\(context)\(line): \(said)")
    }
}

extension SourceText {
    fileprivate func mark(_ mark: yaml_mark_t) -> Mark {
        self.mark(line: mark.line, column: mark.column, index: mark.index)
    }
}
