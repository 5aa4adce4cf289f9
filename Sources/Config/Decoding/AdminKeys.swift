import Core

extension AdminConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        guard let node = keys.node("address"), let address = keys.context.socketAddress(node, "address") else { return }
        self.address = address
        keys.context.adminPosition = keys.context.position(node.mark)
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("address", address.description)
    }
}
