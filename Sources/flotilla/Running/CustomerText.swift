import Customers
import Ledger
import Model
import Telemetry
import Text

/// Customers for a terminal and as CSV.
enum CustomerText {
    static func table(_ page: [Customer], withHeader: Bool) -> String {
        TextTable(
            header: withHeader ? ["ID", "STATUS", "ADDRESS", "SUBSCRIBED", "CHANGED"] : [],
            rows: page.map { one in
                let address = Channel.allCases.compactMap { one.addresses[$0]?.first?.address }.first ?? "-"
                return [
                    LogText.line(one.id), one.status.rawValue, LogText.line(address), subscribed(one), Timestamp.text(one.changed),
                ]
            }
        ).text
    }

    /// The channels, and categories, that the customer is subscribed to.
    private static func subscribed(_ one: Customer) -> String {
        let names = one.subscriptions.filter { $0.state == .subscribed }.map(name)
        return names.isEmpty ? "-" : names.joined(separator: ", ")
    }

    private static func name(_ one: Subscription) -> String {
        one.category.isEmpty ? one.channel.rawValue : "\(one.channel.rawValue):\(one.category)"
    }

    /// All that is known of a customer, a line each.
    static func profile(_ one: Customer) -> String {
        var lines = ["id             \(LogText.line(one.id))", "status         \(one.status.rawValue)"]
        if !one.language.isEmpty { lines.append("language       \(one.language)") }
        if !one.timeZone.isEmpty { lines.append("time zone      \(one.timeZone)") }
        if let channel = one.mainChannel { lines.append("main channel   \(channel.rawValue)") }
        if !one.tags.isEmpty { lines.append("tags           \(LogText.line(one.tags.joined(separator: ", ")))") }
        for channel in Channel.allCases {
            for address in one.addresses[channel] ?? [] {
                let name = channel.rawValue + String(repeating: " ", count: 15 - channel.rawValue.count)
                lines.append(name + LogText.line(address.address) + (address.isValid ? "" : "  (no valid address)"))
            }
        }
        for subscription in one.subscriptions {
            let proof = subscription.proof.isEmpty ? "" : ", proof \(LogText.line(subscription.proof))"
            lines.append(
                """
                consent        \(name(subscription)): \(subscription.state.rawValue) since \(Timestamp.text(subscription.at)), \
                by \(LogText.line(subscription.source))\(proof)
                """)
        }
        for (name, value) in one.attributes.sorted(by: { $0.key < $1.key }) {
            let padding = String(repeating: " ", count: max(1, 15 - name.utf8.count))
            lines.append(name + padding + LogText.line(value.description))
        }
        lines.append("since          \(Timestamp.text(one.created)), changed \(Timestamp.text(one.changed))")
        return lines.joined(separator: "\n")
    }

    /// The columns of an export: those that an import reads.
    static func columns(_ attributes: [Attribute], categories: [String]) -> [String] {
        let subscriptions = Channel.allCases.flatMap { channel in
            ([""] + categories).map { CustomerField.subscription(channel, category: $0).column }
        }
        return ["id", "status", "language", "time_zone", "main_channel", "tags"] + Channel.allCases.map(\.rawValue) + subscriptions
            + attributes.map(\.name)
    }

    /// A row of CSV (RFC 4180), without its end, in the order of `columns`.
    /// - Parameter raw: values stay as they are, also those that a spreadsheet takes for formulas.
    static func csv(_ one: Customer, _ attributes: [Attribute], categories: [String], raw: Bool) -> String {
        var values = [one.id, one.status.rawValue, one.language, one.timeZone, one.mainChannel?.rawValue ?? ""]
        values.append(one.tags.isEmpty ? "" : AttributeValue.list(one.tags).description)
        for channel in Channel.allCases {
            let addresses = (one.addresses[channel] ?? []).map(\.address)
            values.append(addresses.count > 1 ? AttributeValue.list(addresses).description : addresses.first ?? "")
        }
        for channel in Channel.allCases {
            for category in [""] + categories {
                let found = one.subscriptions.first { $0.channel == channel && $0.category == category }
                values.append(found?.state.rawValue ?? "")
            }
        }
        values += attributes.map { one.attributes[$0.name]?.description ?? "" }
        return values.map { CSVValue.encoded(raw ? $0 : CSVValue.guarded($0)) }.joined(separator: ",")
    }
}

/// A customer as commands print it for scripts. Times are ISO 8601 in UTC; what is not known has no key.
struct CustomerJSON: Encodable {
    struct Address: Encodable {
        let channel: Channel
        let address: String
        let valid: Bool
    }

    struct Consent: Encodable {
        let channel: Channel
        let category: String?
        let state: Subscription.State
        let since: String
        let source: String
        let proof: String?
    }

    let id: String
    let status: CustomerStatus
    let language: String?
    let timeZone: String?
    let mainChannel: Channel?
    let tags: [String]
    let addresses: [Address]
    let subscriptions: [Consent]
    /// As texts, in the form in which an import reads them.
    let attributes: [String: String]
    let created: String
    let changed: String

    init(_ one: Customer) {
        id = one.id
        status = one.status
        language = one.language.isEmpty ? nil : one.language
        timeZone = one.timeZone.isEmpty ? nil : one.timeZone
        mainChannel = one.mainChannel
        tags = one.tags
        addresses = Channel.allCases.flatMap { channel in
            (one.addresses[channel] ?? []).map { Address(channel: channel, address: $0.address, valid: $0.isValid) }
        }
        subscriptions = one.subscriptions.map {
            Consent(
                channel: $0.channel, category: $0.category.isEmpty ? nil : $0.category, state: $0.state, since: Timestamp.text($0.at),
                source: $0.source, proof: $0.proof.isEmpty ? nil : $0.proof)
        }
        attributes = one.attributes.mapValues(\.description)
        created = Timestamp.text(one.created)
        changed = Timestamp.text(one.changed)
    }
}

/// Customers, read from the ledger a thousand at a time.
struct CustomerPages: AsyncSequence {
    static let size = 1000

    let ledger: any OpenLedger

    struct AsyncIterator: AsyncIteratorProtocol {
        let ledger: any OpenLedger
        var last: Int64 = 0

        mutating func next() async throws -> [Customer]? {
            let page = try await ledger.customers(after: last, limit: size)
            last = page.last
            return page.customers.isEmpty ? nil : page.customers
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(ledger: ledger) }
}
