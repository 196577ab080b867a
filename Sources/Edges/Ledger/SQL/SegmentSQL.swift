import Customers
import Model
import Text

/// Makes one query of a tree of conditions. Every condition is true or false, never null, so that its negation is its complement; values
/// are bound. Deep parts and segments that are used become common table expressions, as the engines bound how deep an expression is nested.
struct SegmentSQL {
    /// Parentheses around each other in one expression at most.
    private static let deepest = 8
    /// Conditions that stand beside each other without further parentheses.
    private static let widest = 16

    /// The values of the query's parameters, in their order.
    private(set) var values: [any SQLConvertible] = []
    private let elements: String
    private let catalogue: SegmentCatalogue
    private let now: Int64
    /// The end of each part that looks at customers: those of a page only.
    private var range = ""
    private var historyRange = ""
    private var tables: [String] = []
    private var used: [String: String] = [:]
    private var conditions = 0

    /// - Parameter elements: as `SQLTransaction` has it.
    /// - Parameter page: the numbers of customers that are looked at, without the first; nil for all.
    init(_ catalogue: SegmentCatalogue, elements: String, now: Int64, page: (after: Int64, last: Int64)? = nil) {
        (self.catalogue, self.elements, self.now) = (catalogue, elements, now)
        guard let page else { return }
        let (after, last) = (bind(page.after), bind(page.last))
        range = " AND c.number > \(after) AND c.number <= \(last)"
        historyRange = " AND h.customer > \(after) AND h.customer <= \(last)"
    }

    /// - Returns: a query of the numbers and ids of the members.
    mutating func members(_ node: SegmentNode) throws(SegmentFault) -> String {
        let condition = try expression(node).sql
        let with = tables.isEmpty ? "" : "WITH \(tables.joined(separator: ", ")) "
        return "\(with)SELECT c.number, c.id FROM customer c WHERE \(condition)\(range)"
    }

    private mutating func bind(_ value: any SQLConvertible) -> String {
        values.append(value)
        return "?\(values.count)"
    }

    private mutating func list(_ texts: [String]) -> String {
        elements.replacing("?", with: bind(JSONWriter.list(of: texts)))
    }

    // Groups

    private mutating func expression(_ node: SegmentNode) throws(SegmentFault) -> (sql: String, depth: Int) {
        switch node {
        case .all(let parts): return try joined(parts, " AND ")
        case .any(let parts): return try joined(parts, " OR ")
        case .none(let parts):
            let some = try joined(parts, " OR ")
            return ("NOT \(some.sql)", some.depth)
        case .condition(let condition):
            conditions += 1
            guard conditions <= SegmentNode.mostConditions else {
                throw SegmentFault("", "with the segments that it uses it has more than \(SegmentNode.mostConditions) conditions")
            }
            return (try leaf(condition), 1)
        }
    }

    private mutating func joined(_ parts: [SegmentNode], _ word: String) throws(SegmentFault) -> (sql: String, depth: Int) {
        var all: [String] = []
        var deepest = 0
        for part in parts {
            var (sql, depth) = try expression(part)
            if depth >= Self.deepest {
                sql = "c.number IN (SELECT number FROM \(table(sql)))"
                depth = 1
            }
            all.append(sql)
            deepest = max(deepest, depth)
        }
        repeat {
            all = stride(from: 0, to: all.count, by: Self.widest).map { start in
                "(\(all[start..<min(start + Self.widest, all.count)].joined(separator: word)))"
            }
            deepest += 1
        } while all.count > 1
        return (all[0], deepest)
    }

    /// - Returns: the name of a table of the customers who fulfil a condition.
    private mutating func table(_ condition: String) -> String {
        let name = "part_\(tables.count + 1)"
        tables.append("\(name) AS MATERIALIZED (SELECT c.number FROM customer c WHERE \(condition)\(range))")
        return name
    }

    // Conditions

    private mutating func leaf(_ condition: SegmentCondition) throws(SegmentFault) -> String {
        switch condition {
        case .field(let field, let test): return self.test(Self.column(field), field.type, test)
        case .address(let channel, let isValid):
            let valid = isValid ? " AND a.valid = 1" : ""
            return "EXISTS (SELECT 1 FROM customer_address a WHERE a.channel = \(bind(channel.rawValue)) AND a.customer = c.number\(valid))"
        case .consent(let key, let state):
            return """
                EXISTS (SELECT 1 FROM subscription s WHERE s.customer = c.number AND s.channel = \(bind(key.channel.rawValue)) \
                AND s.category = \(bind(key.category)) AND s.state = \(bind(state.code)))
                """
        case .history(let condition): return history(condition)
        case .customers(let ids): return "c.id IN (SELECT value FROM \(list(ids)))"
        case .segment(let name):
            if let known = used[name] { return "c.number IN (SELECT number FROM \(known))" }
            guard let definition = catalogue.segments[name] else { throw SegmentFault("", "there is no segment '\(name)'") }
            let node: SegmentNode
            do throws(SegmentFault) { node = try SegmentReader.read(definition, catalogue) } catch {
                throw SegmentFault("segment '\(name)'", error.description)
            }
            let made = table(try expression(node).sql)
            used[name] = made
            return "c.number IN (SELECT number FROM \(made))"
        }
    }

    private static func column(_ field: SegmentField) -> String {
        switch field {
        case .attribute(let attribute): "c.\(CustomerColumn.name(attribute))"
        case .id: "c.id"
        case .status:
            "CASE c.status WHEN 0 THEN 'enabled' WHEN 1 THEN 'disabled' ELSE 'blocked' END"
        case .language: "c.language"
        case .timeZone: "c.time_zone"
        case .mainChannel: "c.main_channel"
        case .tags: "c.tags"
        case .created: "c.created"
        case .changed: "c.changed"
        }
    }

    private mutating func test(_ column: String, _ type: AttributeType, _ test: SegmentTest) -> String {
        // A text or a list without anything in it is not known either.
        let known = type == .text || type == .list ? "coalesce(\(column), '') <> ''" : "\(column) IS NOT NULL"
        switch test {
        case .isKnown: return "(\(known))"
        case .isUnknown: return "NOT (\(known))"
        case .isNot(let value): return "NOT \(equals(column, known, type, [value]))"
        case .oneOf(let values): return equals(column, known, type, values)
        case .atLeast(let bound): return "(\(known) AND \(column) >= \(bind(bound)))"
        case .atMost(let bound): return "(\(known) AND \(column) <= \(bind(bound)))"
        case .between(let low, let high): return "(\(known) AND \(column) BETWEEN \(bind(low)) AND \(bind(high)))"
        case .contains(let text):
            let wanted = type == .list ? AttributeValue.packed([text]) ?? "" : text
            return "(\(known) AND replace(\(column), \(bind(wanted)), '') <> \(column))"
        case .startsWith(let text):
            let wanted = bind(text)
            return "(\(known) AND substr(\(column), 1, length(\(wanted))) = \(wanted))"
        case .time(let window):
            switch window {
            case .withinLast(let days):
                return "(\(known) AND \(column) > \(bind(Self.start(days, now))) AND \(column) <= \(bind(now)))"
            case .beforeLast(let days): return "(\(known) AND \(column) <= \(bind(Self.start(days, now))))"
            }
        }
    }

    private mutating func equals(_ column: String, _ known: String, _ type: AttributeType, _ wanted: [AttributeValue]) -> String {
        if wanted.count == 1 { return "(\(known) AND \(column) = \(bind(CustomerColumn.value(wanted[0], type))))" }
        let isText = type == .text || type == .list
        let texts = wanted.map { value in
            switch value {
            case .text(let text): text
            case .number(let number), .date(let number): String(number)
            case .boolean(let flag): flag ? "1" : "0"
            case .list: ""
            }
        }
        let value = isText ? "value" : "CAST(value AS bigint)"
        return "(\(known) AND \(column) IN (SELECT \(value) FROM \(list(texts))))"
    }

    private static func start(_ days: Int, _ now: Int64) -> Int64 { now - Int64(days) * SegmentWindow.day }

    // Events and orders

    private mutating func history(_ condition: HistoryCondition) -> String {
        var from: String
        var count = "count(*)"
        switch condition.subject {
        case .events(let name): from = "customer_event h WHERE h.name = \(bind(name))"
        case .orders(let products) where products.isEmpty: from = "customer_order h WHERE h.customer IS NOT NULL"
        case .orders(let products):
            let wanted = products.count == 1 ? "= \(bind(products[0]))" : "IN (SELECT value FROM \(list(products)))"
            from = "customer_order_line h WHERE h.product \(wanted)"
            count = "count(DISTINCT h.order_number)"
        }
        from += historyRange + " AND h.at <= \(bind(now))"
        if let days = condition.within { from += " AND h.at > \(bind(Self.start(days, now)))" }
        switch condition.measure {
        case .count(.atLeast(1)), .last(.withinLast), .first(.beforeLast):
            switch condition.measure {
            case .last(.withinLast(let days)): from += " AND h.at > \(bind(Self.start(days, now)))"
            case .first(.beforeLast(let days)): from += " AND h.at <= \(bind(Self.start(days, now)))"
            default: break
            }
            return "c.number IN (SELECT h.customer FROM \(from))"
        case .count(let comparison): return compared(count, from, comparison)
        case .sum(let currency, let comparison):
            return compared("sum(h.amount)", from + " AND h.currency = \(bind(currency))", comparison)
        case .first(.withinLast(let days)): return grouped(from, "min(h.at) > \(bind(Self.start(days, now)))")
        case .last(.beforeLast(let days)): return grouped(from, "max(h.at) <= \(bind(Self.start(days, now)))")
        }
    }

    private func grouped(_ from: String, _ having: String) -> String {
        "c.number IN (SELECT h.customer FROM \(from) GROUP BY h.customer HAVING \(having))"
    }

    /// Who has nothing counts as 0, and is in no group: where 0 will do, the others are taken out.
    private mutating func compared(_ value: String, _ from: String, _ comparison: HistoryCondition.Comparison) -> String {
        let having =
            switch comparison {
            case .atLeast(let bound): "\(value) >= \(bind(bound))"
            case .atMost(let bound): "\(value) <= \(bind(bound))"
            case .equals(let bound): "\(value) = \(bind(bound))"
            }
        return comparison.holds(0) ? "NOT \(grouped(from, "NOT (\(having))"))" : grouped(from, having)
    }
}
