extension DecodingContext {
    /// The path of a file that is opened later; a relative one lies beside the file that names it.
    func path(_ node: Node, _ key: String) -> String? {
        guard let text = text(node, key, expected: "a file") else { return nil }
        if text.isEmpty || text.utf8.contains(0) {
            report(node.mark, "\(key): expected a file, found \(text.isEmpty ? "nothing" : "'\(Node.excerpt(text))'")")
            return nil
        }
        return ConfigurationLoader.resolve(text, relativeTo: file)
    }
}
