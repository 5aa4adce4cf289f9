import Core

extension DecodingContext {
    /// `{service: shop.Orders, method: Place}`; without a method all of the service's.
    func grpcLocation(_ node: Node) -> RouteConfiguration.Location? {
        var result: RouteConfiguration.Location?
        MappingDecoder.decode(node, "grpc", self) { keys in
            let service = keys.required("service", of: "grpc").flatMap { node -> String? in
                guard let text = self.text(node, "service") else { return nil }
                if text.utf8.count <= 512, Self.isIdentifiers(text, dotted: true) { return text }
                self.report(
                    node.mark, "service: expected a full name such as shop.Orders, found '\(Node.excerpt(text))'")
                return nil
            }
            let methodNode = keys.node("method")
            let method = methodNode.flatMap { node -> String? in
                guard let text = self.text(node, "method") else { return nil }
                if text.utf8.count <= 512, Self.isIdentifiers(text, dotted: false) { return text }
                self.report(node.mark, "method: expected a name such as Place, found '\(Node.excerpt(text))'")
                return nil
            }
            guard let service, methodNode == nil || method != nil else { return }
            result = .grpc(service: service, method: method)
        }
        return result
    }

    /// Names as protocol buffers have them: letters, digits and `_`, no digit first; several with dots between.
    private static func isIdentifiers(_ text: String, dotted: Bool) -> Bool {
        var atStart = true
        for byte in text.utf8 {
            if byte == 0x2E {
                guard dotted, !atStart else { return false }
                atStart = true
            } else {
                let isLetter = ASCII.lowercased(byte) &- 0x61 < 26 || byte == 0x5F
                guard isLetter || (!atStart && ASCII.digit(byte) != nil) else { return false }
                atStart = false
            }
        }
        return !atStart
    }
}
