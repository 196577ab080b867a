import Customers
import Ledger
import Model

/// A customer with a past, as a test made it up.
struct Person {
    var change: CustomerChange
    var events: [CustomerEvent] = []
    var orders: [CustomerOrder] = []

    var id: String { change.id }
}

/// Who fulfils a segment, without SQL.
struct SegmentEvaluator {
    let catalogue: SegmentCatalogue
    let now: Int64
    let created: Int64

    func holds(_ definition: SegmentDefinition, _ person: Person) throws -> Bool {
        try holds(SegmentReader.read(definition, catalogue), person)
    }

    private func holds(_ node: SegmentNode, _ person: Person) throws -> Bool {
        switch node {
        case .all(let parts): try parts.allSatisfy { try holds($0, person) }
        case .any(let parts): try parts.contains { try holds($0, person) }
        case .none(let parts): try !parts.contains { try holds($0, person) }
        case .condition(let condition): try holds(condition, person)
        }
    }

    private func holds(_ condition: SegmentCondition, _ person: Person) throws -> Bool {
        switch condition {
        case .field(let field, let test): holds(test, value(field, person.change))
        case .address(let channel, let isValid): (person.change.addresses[channel] ?? []).contains { !isValid || $0.isValid }
        case .consent(let key, let state): person.change.subscriptions[key] == state
        case .history(let condition): holds(condition, person)
        case .segment(let name): try catalogue.segments[name].map { try holds($0, person) } ?? false
        case .customers(let ids): ids.contains(person.id)
        }
    }

    private func value(_ field: SegmentField, _ change: CustomerChange) -> AttributeValue? {
        switch field {
        case .attribute(let attribute): change.attributes[attribute.number]
        case .id: .text(change.id)
        case .status: .text((change.status ?? .enabled).rawValue)
        case .language: change.language.map { .text($0) }
        case .timeZone: change.timeZone.map { .text($0) }
        case .mainChannel: change.mainChannel.map { .text($0.rawValue) }
        case .tags: change.tags.flatMap { $0.isEmpty ? nil : .list($0) }
        case .created, .changed: .date(created)
        }
    }

    private func holds(_ test: SegmentTest, _ value: AttributeValue?) -> Bool {
        switch (test, value) {
        case (.isUnknown, _): return value == nil
        case (.isNot(let other), _): return value != other
        case (_, nil): return false
        case (.isKnown, _): return true
        case (.oneOf(let values), let value?): return values.contains(value)
        case (.contains(let text), .text(let value)?): return value.contains(text)
        case (.contains(let text), .list(let values)?): return values.contains(text)
        case (.startsWith(let text), .text(let value)?): return value.hasPrefix(text)
        case (_, .number(let number)?), (_, .date(let number)?): return holds(test, number)
        default: return false
        }
    }

    private func holds(_ test: SegmentTest, _ number: Int64) -> Bool {
        switch test {
        case .atLeast(let bound): number >= bound
        case .atMost(let bound): number <= bound
        case .between(let low, let high): number >= low && number <= high
        case .time(let window): number <= now && holds(window, number)
        default: false
        }
    }

    private func holds(_ window: SegmentWindow, _ time: Int64) -> Bool {
        switch window {
        case .withinLast(let days): time > now - Int64(days) * 86_400_000
        case .beforeLast(let days): time <= now - Int64(days) * 86_400_000
        }
    }

    private func holds(_ condition: HistoryCondition, _ person: Person) -> Bool {
        var found: [(at: Int64, amount: Int64, currency: String)]
        switch condition.subject {
        case .events(let name): found = person.events.filter { $0.name == name }.map { ($0.at, 0, "") }
        case .orders(let products):
            found = person.orders.compactMap { order in
                guard !products.isEmpty else { return (order.at, order.amount, order.currency) }
                let lines = order.lines.filter { products.contains($0.product) }
                return lines.isEmpty ? nil : (order.at, lines.reduce(0) { $0 + $1.amount }, order.currency)
            }
        }
        found = found.filter { $0.at <= now && (condition.within == nil || holds(.withinLast(condition.within ?? 0), $0.at)) }
        let times = found.map(\.at)
        switch condition.measure {
        case .count(let comparison): return comparison.holds(Int64(found.count))
        case .sum(let currency, let comparison):
            return comparison.holds(found.filter { $0.currency == currency }.reduce(0) { $0 + $1.amount })
        case .first(let window): return times.min().map { holds(window, $0) } ?? false
        case .last(let window): return times.max().map { holds(window, $0) } ?? false
        }
    }
}
