import Core

/// What the `Connection` fields of one head say (RFC 9110 §7.6.1).
package struct ConnectionOptions: OptionSet, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let close = ConnectionOptions(rawValue: 1)
    package static let keepAlive = ConnectionOptions(rawValue: 2)
    package static let upgrade = ConnectionOptions(rawValue: 4)
    /// Any other option: it names a field for this hop only.
    package static let other = ConnectionOptions(rawValue: 8)

    /// Adds the members of a field's value.
    mutating func insert(membersOf value: Span<UInt8>) {
        var members = ListMembers()
        while let range = members.next(in: value) { insert(Self.option(value.extracting(range))) }
    }

    /// The option that one member stands for.
    static func option(_ member: Span<UInt8>) -> ConnectionOptions {
        switch member.count {
        case 5 where member.equalsIgnoringCase("close"): .close
        case 7 where member.equalsIgnoringCase("upgrade"): .upgrade
        case 10 where member.equalsIgnoringCase("keep-alive"): .keepAlive
        default: .other
        }
    }
}
