/// How one metric is presented: what stands before its values in the text that is scraped.
package struct MetricDefinition: Sendable {
    package enum Kind: Sendable { case counter, gauge }

    /// Base units only. The name must end with it, before `_total`.
    package enum Unit: String, Sendable { case seconds, bytes }

    /// A label that tells apart several entries of one family. They stand next to each other in their catalogue.
    package struct Label: Sendable {
        package let name: StaticString
        package let value: StaticString
    }

    /// The family's name; samples of a counter add `_total`.
    package let name: StaticString
    package let help: StaticString
    package let kind: Kind
    package let unit: Unit?
    package let label: Label?

    package static func counter(
        _ name: StaticString, _ help: StaticString, unit: Unit? = nil, label: Label? = nil
    ) -> MetricDefinition {
        MetricDefinition(name: name, help: help, kind: .counter, unit: unit, label: label)
    }

    package static func gauge(_ name: StaticString, _ help: StaticString, unit: Unit? = nil) -> MetricDefinition {
        MetricDefinition(name: name, help: help, kind: .gauge, unit: unit, label: nil)
    }
}

/// A list of metrics that are kept for the same thing: each listener, each service, the worker.
///
/// The raw value is the cell within that thing's row.
package protocol MetricCatalogue: CaseIterable, RawRepresentable, Sendable where RawValue == Int, AllCases: Sendable {
    var definition: MetricDefinition { get }
}

extension MetricCatalogue {
    package static var count: Int { allCases.count }
}
