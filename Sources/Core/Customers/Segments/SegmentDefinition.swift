/// A tree of conditions in the form in which a person writes it, in YAML or JSON: every value is a text, a list or a section.
package indirect enum SegmentDefinition: Sendable, Equatable {
    case text(String)
    case list([SegmentDefinition])
    case section([String: SegmentDefinition])

    /// The names of the segments that it uses, each once and in order.
    package var segments: [String] {
        var names: Set<String> = []
        collect(&names)
        return names.sorted()
    }

    private func collect(_ names: inout Set<String>) {
        switch self {
        case .text: break
        case .list(let items): for item in items { item.collect(&names) }
        case .section(let values):
            for (key, value) in values {
                if key == "segment", case .text(let name) = value { names.insert(name) }
                value.collect(&names)
            }
        }
    }
}

extension SegmentDefinition: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        if let section = try? decoder.container(keyedBy: Key.self) {
            var values: [String: SegmentDefinition] = [:]
            for key in section.allKeys { values[key.stringValue] = try section.decode(SegmentDefinition.self, forKey: key) }
            self = .section(values)
        } else if var list = try? decoder.unkeyedContainer() {
            var items: [SegmentDefinition] = []
            while !list.isAtEnd { items.append(try list.decode(SegmentDefinition.self)) }
            self = .list(items)
        } else {
            self = .text(try decoder.singleValueContainer().decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .list(let items):
            var container = encoder.unkeyedContainer()
            for item in items { try container.encode(item) }
        case .section(let values):
            var container = encoder.container(keyedBy: Key.self)
            for (key, value) in values { try container.encode(value, forKey: Key(key)) }
        }
    }
}

/// Why a definition is no segment.
package struct SegmentFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where in the tree, such as `all[2].any[1]`; empty for all of it.
    package let place: String
    package let problem: String

    package init(_ place: String, _ problem: String) { (self.place, self.problem) = (place, problem) }

    package var description: String { place.isEmpty ? problem : "\(place): \(problem)" }
}
