import Policy
import Text

/// What a segment may name.
package struct SegmentCatalogue: Sendable {
    package var attributes: [Attribute]
    package var categories: [String]
    package var segments: [String: SegmentDefinition]

    package init(attributes: [Attribute], categories: [String], segments: [String: SegmentDefinition]) {
        (self.attributes, self.categories, self.segments) = (attributes, categories, segments)
    }

    /// The way from a segment to itself through those that it uses; nil where there is none.
    /// - Parameter definition: the segment's, as it would be.
    package func cycle(from name: String, _ definition: SegmentDefinition) -> [String]? {
        var seen: Set<String> = []
        func way(_ used: [String], _ path: [String]) -> [String]? {
            for next in used {
                if next == name { return path + [next] }
                guard seen.insert(next).inserted, let found = segments[next] else { continue }
                if let cycle = way(found.segments, path + [next]) { return cycle }
            }
            return nil
        }
        return way(definition.segments, [name])
    }
}

/// Reads a definition: every name, operator and value is checked, and what is wrong is named with its place in the tree.
package struct SegmentReader {
    private let catalogue: SegmentCatalogue
    private var conditions = 0

    package static func read(_ definition: SegmentDefinition, _ catalogue: SegmentCatalogue) throws(SegmentFault) -> SegmentNode {
        var reader = SegmentReader(catalogue: catalogue)
        return try reader.node(definition, "", level: 1)
    }

    private init(catalogue: SegmentCatalogue) { self.catalogue = catalogue }

    private static let groups = ["all", "any", "none"]
    private static let subjects = groups + ["attribute", "address", "consent", "events", "orders", "segment", "customers"]

    private mutating func node(_ definition: SegmentDefinition, _ place: String, level: Int) throws(SegmentFault) -> SegmentNode {
        guard level <= SegmentNode.mostLevels else {
            throw SegmentFault(place, "there are more than \(SegmentNode.mostLevels) levels; make segments of parts, and use these")
        }
        guard case .section(let values) = definition else {
            throw SegmentFault(place, "a condition is a section with one of \(Self.subjects.joined(separator: ", "))")
        }
        let found = Self.subjects.filter { values[$0] != nil }
        guard let subject = found.first, let value = values[subject], found.count == 1 else {
            if found.count > 1 {
                throw SegmentFault(place, "has \(found.joined(separator: " and ")); put each into a condition of its own")
            }
            throw Self.unknown(values.keys.sorted().first ?? "", place, among: Self.subjects, "is no condition")
        }
        guard Self.groups.contains(subject) else {
            conditions += 1
            guard conditions <= SegmentNode.mostConditions else {
                throw SegmentFault(place, "there are more than \(SegmentNode.mostConditions) conditions")
            }
            return .condition(try SegmentConditionReader(place: place, values: values, catalogue: catalogue).read(subject))
        }
        if let other = values.keys.sorted().first(where: { $0 != subject }) {
            throw SegmentFault(place, "'\(Self.shown(other))' stands beside \(subject); put it into a condition of its own")
        }
        guard case .list(let items) = value, !items.isEmpty else {
            throw SegmentFault(place, "\(subject) is a list of one condition or more")
        }
        var parts: [SegmentNode] = []
        for (number, item) in items.enumerated() {
            parts.append(try node(item, (place.isEmpty ? "" : place + ".") + "\(subject)[\(number + 1)]", level: level + 1))
        }
        return subject == "all" ? .all(parts) : subject == "any" ? .any(parts) : .none(parts)
    }

    static func unknown(_ name: String, _ place: String, among names: [String], _ what: String) -> SegmentFault {
        let meant = NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
        let some =
            names.isEmpty ? "there are none" : "there are \(names.prefix(20).joined(separator: ", "))\(names.count > 20 ? ", …" : "")"
        return SegmentFault(place, "'\(shown(name))' \(what); \(meant ?? some)")
    }

    static func shown(_ text: String) -> String { SingleLine.clean(text.utf8, longest: 80) }
}
