/// What an order was about. Its text is the same in the ledger, in the log and on the command line: `mailing:ID`, `provider:NAME`,
/// `dead:NUMBER`, `ledger`,
/// `suppressions`, `suppression:CHANNEL:ADDRESS`, `webhook:ID`, `customers`, `attribute:NAME`, `segment:NAME`.
package enum AuditedObject: Sendable, Hashable, CustomStringConvertible {
    case mailing(MailingID)
    /// The scope of a limit.
    case limit(StoredScope)
    case deadLetters([Int64])
    case allDeadLetters
    case ledger
    /// The list of suppressions.
    case suppressions
    /// One of them, its address masked.
    case suppression(Channel, String)
    /// Categories of mailings, of which one or several are named.
    case categories(String)
    /// A subscription of webhooks.
    case webhook(String)
    case customers
    /// An attribute of customers.
    case attribute(String)
    /// A segment of customers.
    case segment(String)

    /// Reads what `description` wrote; what this release does not know counts as a scope that it does not know.
    package init(_ text: String) { self = Self.known(text) ?? .limit(StoredScope(text)) }

    private static func known(_ text: String) -> AuditedObject? {
        if text == "ledger" { return .ledger }
        if text == "suppressions" { return .suppressions }
        if text == "customers" { return .customers }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let name = text[colon...].dropFirst()
        switch text[..<colon] {
        case "mailing": return MailingID(String(name)).map(AuditedObject.mailing)
        case "dead" where name == "all": return .allDeadLetters
        case "suppression":
            let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let channel = Channel(rawValue: String(parts[0])) else { return nil }
            return .suppression(channel, String(parts[1]))
        case "webhook": return .webhook(String(name))
        case "attribute": return .attribute(String(name))
        case "segment": return .segment(String(name))
        case "category": return .categories(String(name))
        case "dead": return numbers(name).map(AuditedObject.deadLetters)
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .mailing(let id): "mailing:\(id)"
        case .limit(let scope): scope.description
        case .deadLetters(let numbers): "dead:\(numbers.map(String.init).joined(separator: ","))"
        case .allDeadLetters: "dead:all"
        case .ledger: "ledger"
        case .suppressions: "suppressions"
        case .categories(let names): "category:\(names)"
        case .webhook(let id): "webhook:\(id)"
        case .customers: "customers"
        case .attribute(let name): "attribute:\(name)"
        case .segment(let name): "segment:\(name)"
        case .suppression(let channel, let address): "suppression:\(channel.rawValue):\(address)"
        }
    }

    private static func numbers(_ text: Substring) -> [Int64]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int64($0) }
        return numbers.count == parts.count ? numbers : nil
    }
}
