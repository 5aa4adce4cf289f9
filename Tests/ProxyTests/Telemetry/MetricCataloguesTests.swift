import Testing

@testable import Proxy

@Suite struct MetricCataloguesTests {
    private var definitions: [MetricDefinition] {
        ListenerMetric.allCases.map(\.definition) + ServiceMetric.allCases.map(\.definition)
            + EndpointMetric.allCases.map(\.definition) + WorkerMetric.allCases.map(\.definition)
            + DNSMetric.allCases.map(\.definition) + AccessLogMetric.allCases.map(\.definition)
    }

    @Test func namesAreUniqueButForEntriesThatALabelTellsApart() {
        var seen: Set<String> = []
        for definition in definitions {
            let label = definition.label.map { "{\($0.name)=\($0.value)}" } ?? ""
            #expect(seen.insert(definition.name.description + label).inserted)
        }
    }

    @Test func namesCarryTheirUnitAndNoTotal() {
        for definition in definitions {
            let name = definition.name.description
            #expect(name.hasPrefix("sidecar_"))
            #expect(!name.hasSuffix("_total"))
            #expect(definition.unit.map { name.hasSuffix("_" + $0.rawValue) } ?? !name.hasSuffix("_bytes"))
            #expect(definition.help.description.hasSuffix("."))
        }
    }

    @Test func rawValuesCountFromZero() {
        #expect(ListenerMetric.allCases.map(\.rawValue) == Array(0..<ListenerMetric.count))
        #expect(ServiceMetric.allCases.map(\.rawValue) == Array(0..<ServiceMetric.count))
        #expect(EndpointMetric.allCases.map(\.rawValue) == Array(0..<EndpointMetric.count))
        #expect(WorkerMetric.allCases.map(\.rawValue) == Array(0..<WorkerMetric.count))
    }
}
