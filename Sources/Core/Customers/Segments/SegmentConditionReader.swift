import Model
import Text

/// Reads one condition: its subject, and the operators beside it.
struct SegmentConditionReader {
    /// Texts of a list at most.
    private static let mostValues = 100_000

    let place: String
    let values: [String: SegmentDefinition]
    let catalogue: SegmentCatalogue

    func read(_ subject: String) throws(SegmentFault) -> SegmentCondition {
        switch subject {
        case "attribute": return try attribute(try name(subject))
        case "address":
            try allow([subject, "is"])
            let state = values["is"] == nil ? "valid" : try name("is")
            guard ["valid", "any"].contains(state) else {
                throw SegmentReader.unknown(state, place, among: ["valid", "any"], "is not allowed")
            }
            return .address(try channel(subject), isValid: state == "valid")
        case "consent": return try consent()
        case "segment":
            try allow([subject])
            let name = try name(subject)
            guard catalogue.segments[name] != nil else {
                throw SegmentReader.unknown(name, place, among: catalogue.segments.keys.sorted(), "is no segment")
            }
            return .segment(name)
        case "customers":
            try allow([subject])
            return .customers(try texts(subject))
        default: return .history(try history(subject))
        }
    }

    private func consent() throws(SegmentFault) -> SegmentCondition {
        try allow(["consent", "category", "state"])
        let category = values["category"] == nil ? "" : try name("category")
        guard category.isEmpty || catalogue.categories.contains(category) else {
            throw SegmentReader.unknown(category, place, among: catalogue.categories, "is no category")
        }
        let states = Subscription.State.allCases.map(\.rawValue)
        let name = values["state"] == nil ? Subscription.State.subscribed.rawValue : try name("state")
        guard let state = Subscription.State(rawValue: name) else { throw SegmentReader.unknown(name, place, among: states, "is no state") }
        return .consent(SubscriptionKey(try channel("consent"), category: category), state)
    }

    // Attributes

    private func attribute(_ name: String) throws(SegmentFault) -> SegmentCondition {
        let field: SegmentField
        if let found = catalogue.attributes.first(where: { $0.name == name }) {
            field = .attribute(found)
        } else if let found = SegmentField.named.first(where: { $0.name == name }) {
            field = found.field
        } else {
            let names = catalogue.attributes.map(\.name) + SegmentField.named.map(\.name)
            throw SegmentReader.unknown(name, place, among: names, "is no attribute")
        }
        let allowed = Self.operators(field.type)
        guard let key = try only(allowed, beside: ["attribute"], of: "\(name) (\(field.type.rawValue))") else {
            throw SegmentFault(
                place, "says nothing of \(name); an operator of \(field.type.rawValue) is \(allowed.joined(separator: ", "))")
        }
        return .field(field, try test(key, field))
    }

    static func operators(_ type: AttributeType) -> [String] {
        let known = ["is_known", "is_unknown"]
        return switch type {
        case .text: ["equals", "is_not", "one_of", "contains", "starts_with"] + known
        case .number: ["equals", "is_not", "one_of", "at_least", "at_most", "between"] + known
        case .date: ["equals", "is_not", "one_of", "at_least", "at_most", "between", "within_last", "before_last"] + known
        case .boolean: ["equals", "is_not"] + known
        case .list: ["contains"] + known
        }
    }

    private func test(_ key: String, _ field: SegmentField) throws(SegmentFault) -> SegmentTest {
        switch key {
        case "equals": return .oneOf([try value(try name(key), field)])
        case "is_not": return .isNot(try value(try name(key), field))
        case "one_of":
            var found: [AttributeValue] = []
            for text in try texts(key) { found.append(try value(text, field)) }
            return .oneOf(found)
        case "at_least": return .atLeast(try number(try name(key), field))
        case "at_most": return .atMost(try number(try name(key), field))
        case "between":
            let bounds = try texts(key)
            guard bounds.count == 2 else { throw SegmentFault(place, "between is a list of two values, such as [18, 29]") }
            return .between(try number(bounds[0], field), try number(bounds[1], field))
        case "contains": return .contains(try name(key))
        case "starts_with": return .startsWith(try name(key))
        case "within_last", "before_last": return .time(try window(key))
        default:
            guard try name(key) == "true" else { throw SegmentFault(place, "\(key) is true, or is not there") }
            return key == "is_known" ? .isKnown : .isUnknown
        }
    }

    private func value(_ text: String, _ field: SegmentField) throws(SegmentFault) -> AttributeValue {
        let choices: [String]? =
            switch field {
            case .status: CustomerStatus.allCases.map(\.rawValue)
            case .mainChannel: Channel.allCases.map(\.rawValue)
            default: nil
            }
        if let choices, !choices.contains(text) { throw SegmentReader.unknown(text, place, among: choices, "is not allowed") }
        do throws(AttributeValue.Fault) {
            if let value = try AttributeValue(text, field.type) { return value }
        } catch { throw SegmentFault(place, "'\(SegmentReader.shown(text))' \(error)") }
        throw SegmentFault(place, "has an empty value; who has none is found by is_unknown: true")
    }

    private func number(_ text: String, _ field: SegmentField) throws(SegmentFault) -> Int64 {
        switch try value(text, field) {
        case .number(let number): return number
        case .date(let time): return time
        default: throw SegmentFault(place, "'\(SegmentReader.shown(text))' is neither a number nor a date")
        }
    }

    // Events and orders

    private func history(_ subject: String) throws(SegmentFault) -> HistoryCondition {
        let isOrders = subject == "orders"
        let measures = ["count", "first", "last"] + (isOrders ? ["sum"] : [])
        let measure = try name(subject)
        guard measures.contains(measure) else {
            throw SegmentReader.unknown(measure, place, among: measures, "is nothing to ask of \(subject)")
        }
        let own = [subject, isOrders ? "product" : "name"]
        if !isOrders, values["name"] == nil { throw SegmentFault(place, "events need a name: which ones are meant") }
        let of: HistoryCondition.Subject =
            isOrders ? .orders(values["product"] == nil ? [] : try texts("product")) : .events(try name("name"))
        if measure == "first" || measure == "last" {
            guard let key = try only(["within_last", "before_last"], beside: own, of: measure) else {
                throw SegmentFault(place, "says nothing of the \(measure) one; say within_last or before_last, with days")
            }
            let window = try window(key)
            return HistoryCondition(of, measure == "first" ? .first(window) : .last(window))
        }
        let isSum = measure == "sum"
        let key = try only(
            ["at_least", "at_most", "equals"], beside: own + ["within_last"] + (isSum ? ["currency"] : []), of: measure)
        let within = values["within_last"] == nil ? nil : try days("within_last")
        guard isSum else {
            return HistoryCondition(
                of, .count(try key.map { key throws(SegmentFault) in try comparison(key, isSum: false) } ?? .atLeast(1)), within: within)
        }
        guard let key else { throw SegmentFault(place, "says nothing of the sum; say at_least, at_most or equals") }
        let currency = values["currency"] == nil ? "" : try name("currency")
        guard CustomerOrder.isCurrency(currency) else { throw SegmentFault(place, "a sum needs a currency such as EUR (ISO 4217)") }
        return HistoryCondition(of, .sum(currency, try comparison(key, isSum: true)), within: within)
    }

    private func comparison(_ key: String, isSum: Bool) throws(SegmentFault) -> HistoryCondition.Comparison {
        let text = try name(key)
        let bound: Int64
        if isSum {
            do throws(AttributeValue.Fault) { bound = try AttributeValue.number(text) } catch {
                throw SegmentFault(place, "\(key) '\(SegmentReader.shown(text))' \(error)")
            }
        } else {
            guard let count = Int64(text), (0...1_000_000_000).contains(count) else {
                throw SegmentFault(place, "\(key) '\(SegmentReader.shown(text))' is no count")
            }
            bound = count
        }
        return key == "at_least" ? .atLeast(bound) : key == "at_most" ? .atMost(bound) : .equals(bound)
    }

    // What conditions share

    private func window(_ key: String) throws(SegmentFault) -> SegmentWindow {
        let days = try days(key)
        return key == "within_last" ? .withinLast(days) : .beforeLast(days)
    }

    private func days(_ key: String) throws(SegmentFault) -> Int {
        guard let days = Int(try name(key)), (1...SegmentWindow.most).contains(days) else {
            throw SegmentFault(place, "\(key) is a number of days, from 1 to \(SegmentWindow.most)")
        }
        return days
    }

    private func channel(_ key: String) throws(SegmentFault) -> Channel {
        let name = try name(key)
        guard let channel = Channel(rawValue: name) else {
            throw SegmentReader.unknown(name, place, among: Channel.allCases.map(\.rawValue), "is no channel")
        }
        return channel
    }

    /// The one operator that the condition has; nil for none.
    private func only(_ operators: [String], beside others: [String], of what: String) throws(SegmentFault) -> String? {
        for key in values.keys.sorted() where !operators.contains(key) && !others.contains(key) {
            throw SegmentReader.unknown(key, place, among: operators + others.dropFirst(), "is no operator of \(what)")
        }
        let found = operators.filter { values[$0] != nil }
        guard found.count < 2 else {
            throw SegmentFault(place, "has \(found.joined(separator: " and ")); put each into a condition of its own")
        }
        return found.first
    }

    private func allow(_ keys: [String]) throws(SegmentFault) {
        for key in values.keys.sorted() where !keys.contains(key) {
            throw SegmentReader.unknown(key, place, among: keys, "does not belong to \(keys[0])")
        }
    }

    /// A value that is one text.
    private func name(_ key: String) throws(SegmentFault) -> String {
        guard case .text(let raw)? = values[key], !raw.trimmed.isEmpty else { throw SegmentFault(place, "\(key) needs one value") }
        let text = String(raw.trimmed)
        guard text.utf8.count <= AttributeValue.longest, !text.utf8.contains(0), !text.contains(AttributeValue.separator) else {
            throw SegmentFault(place, "\(key) is longer than \(AttributeValue.longest) bytes, or has a character that no value has")
        }
        return text
    }

    /// A value that is one text or a list of them.
    private func texts(_ key: String) throws(SegmentFault) -> [String] {
        guard case .list(let items)? = values[key] else { return [try name(key)] }
        guard (1...Self.mostValues).contains(items.count) else {
            throw SegmentFault(place, "\(key) is a list of 1 to \(Self.mostValues) values")
        }
        var texts: [String] = []
        for item in items {
            guard case .text(let raw) = item, !raw.trimmed.isEmpty, !raw.utf8.contains(0) else {
                throw SegmentFault(place, "\(key) is a list of values, none of them empty")
            }
            texts.append(String(raw.trimmed))
        }
        return texts
    }
}
