import Foundation

/// A JSON text as a tree, for bodies whose fields are named by data.
enum JSONValue: Decodable, Equatable {
    case text(String)
    case number(Double)
    case bool(Bool)
    case list([JSONValue])
    case object([String: JSONValue])
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Nil for what is no JSON; the decoder refuses what is nested too deep.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= WebhookRequest.mostBytes, let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
            return nil
        }
        self = value
    }

    /// What stands at a path with dots, as `bounce.bouncedRecipients.0.emailAddress`.
    subscript(_ path: String) -> JSONValue? {
        var value = self
        for part in path.split(separator: ".") {
            switch value {
            case .object(let members):
                guard let member = members[String(part)] else { return nil }
                value = member
            case .list(let items):
                guard let index = Int(part), items.indices.contains(index) else { return nil }
                value = items[index]
            case .text, .number, .bool, .null: return nil
            }
        }
        return value == .null ? nil : value
    }

    /// The text of a scalar: whole numbers without a fraction.
    var plain: String? {
        switch self {
        case .text(let text): text
        case .number(let number): Int64(exactly: number).map(String.init) ?? String(number)
        case .bool(let value): String(value)
        case .list, .object, .null: nil
        }
    }
}
