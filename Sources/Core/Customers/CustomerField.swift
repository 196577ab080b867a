package import Model

/// What each customer has, beside the attributes of a team's own.
package enum CustomerField: Sendable, Hashable {
    /// The id that other systems know the customer by.
    case id
    case status, language
    case timeZone
    case mainChannel
    case tags
    case address(Channel)
    /// Whether messages may be sent by a channel (nil: by each of which the row has an address), of a category (empty: at all).
    case subscription(Channel?, category: String)

    /// The field that a column of a table names; nil for an attribute.
    package init?(column: String) {
        switch column {
        case "id": self = .id
        case "status": self = .status
        case "language": self = .language
        case "time_zone": self = .timeZone
        case "main_channel": self = .mainChannel
        case "tags": self = .tags
        case "subscribed": self = .subscription(nil, category: "")
        default:
            if let channel = Channel(rawValue: column) {
                self = .address(channel)
            } else if let subscription = Self.subscription(column) {
                self = subscription
            } else {
                return nil
            }
        }
    }

    /// `subscribed_CHANNEL`, and for a category `subscribed_CHANNEL:CATEGORY`.
    private static func subscription(_ column: String) -> CustomerField? {
        guard column.hasPrefix("subscribed_") else { return nil }
        let parts = column.dropFirst("subscribed_".count).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let channel = Channel(rawValue: String(name)) else { return nil }
        guard parts.count == 2 else { return .subscription(channel, category: "") }
        let category = String(parts[1]).lowercased()
        return Category.fault(category) == nil ? .subscription(channel, category: category) : nil
    }

    /// The column of a table.
    package var column: String {
        switch self {
        case .id: "id"
        case .status: "status"
        case .language: "language"
        case .timeZone: "time_zone"
        case .mainChannel: "main_channel"
        case .tags: "tags"
        case .address(let channel): channel.rawValue
        case .subscription(nil, _): "subscribed"
        case .subscription(let channel?, ""): "subscribed_\(channel.rawValue)"
        case .subscription(let channel?, let category): "subscribed_\(channel.rawValue):\(category)"
        }
    }

    /// The columns without those of subscriptions to categories, for errors.
    package static let usual: [CustomerField] =
        [.id, .status, .language, .timeZone, .mainChannel, .tags, .subscription(nil, category: "")]
        + Channel.allCases.flatMap { [.address($0), .subscription($0, category: "")] }
}
