import FoundationEssentials

/// Something that a customer did, such as opening an app.
package struct CustomerEvent: HistoryEntry {
    /// Bytes of a name at most.
    package static let longestName = 64
    /// Bytes of the properties at most.
    private static let longestProperties = 16_384

    package var customer: String
    package var name: String
    /// Milliseconds since 1970.
    package var at: Int64
    package var key: String
    /// A JSON object; empty for none.
    package var properties: String

    package init(customer: String, name: String, at: Int64, key: String? = nil, properties: String = "") {
        (self.customer, self.name, self.at, self.properties) = (customer, name, at, properties)
        self.key = key ?? "\(at)/\(name)/\(customer)"
    }

    package static let columns = [
        HistoryColumn("customer"), HistoryColumn("name"), HistoryColumn("at"), HistoryColumn("key", isRequired: false),
        HistoryColumn("properties", isRequired: false),
    ]

    package init(_ value: (Int) -> String) throws(HistoryFault) {
        let customer = try HistoryValue.text(value(0), 0)
        let name = try HistoryValue.text(value(1), 1, longest: Self.longestName)
        let at = try HistoryValue.date(value(2), 2)
        let key = value(3).isEmpty ? nil : try HistoryValue.text(value(3), 3)
        let properties = value(4)
        if !properties.isEmpty {
            guard properties.utf8.count <= Self.longestProperties, !properties.utf8.contains(0) else {
                throw HistoryFault(column: 4, problem: "is longer than \(Self.longestProperties) bytes, or holds a NUL")
            }
            guard (try? JSONDecoder().decode(JSONObject.self, from: Data(properties.utf8))) != nil else {
                throw HistoryFault(column: 4, problem: "'\(HistoryValue.shown(properties))' is no JSON object")
            }
        }
        self.init(customer: customer, name: name, at: at, key: key, properties: properties)
    }
}

/// Any JSON object.
private struct JSONObject: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Key.self) }
}
