import Ledger
import Model
import Policy
import Telemetry
import Text

/// Suppressions for a terminal and as CSV.
enum SuppressionText {
    /// - Parameter now: milliseconds since 1970.
    static func table(_ page: [Suppression], withHeader: Bool, now: Int64) -> String {
        TextTable(
            header: withHeader ? ["CHANNEL", "ADDRESS", "CATEGORY", "REASON", "PROVIDER", "SINCE", "UNTIL"] : [],
            rows: page.map { one in
                let until = one.expires.map { Timestamp.text($0) + (one.isInForce(at: now) ? "" : " (expired)") } ?? "-"
                return [
                    one.key.channel.rawValue, LogText.line(one.key.address), category(one), one.reason.rawValue,
                    one.provider.isEmpty ? "-" : LogText.line(one.provider), Timestamp.text(one.at), until,
                ]
            }
        ).text
    }

    static func category(_ one: Suppression) -> String { one.key.category.isEmpty ? Category.all : one.key.category }

    static let header = "channel,address,category,reason,date,expiry,source,provider"

    /// A row of CSV (RFC 4180), without its end.
    /// - Parameter raw: values stay as they are, also those that a spreadsheet takes for formulas.
    static func csv(_ one: Suppression, raw: Bool) -> String {
        let (date, expiry) = (Timestamp.text(one.at), one.expires.map(Timestamp.text) ?? "")
        return [one.key.channel.rawValue, one.key.address, category(one), one.reason.rawValue, date, expiry, one.source, one.provider]
            .map { CSVValue.encoded(raw ? $0 : CSVValue.guarded($0)) }.joined(separator: ",")
    }

    /// What an addition changed, for people.
    static func words(_ change: SuppressionChange) -> String {
        var parts = ["\(counted(change.added, "suppression")) added"]
        if change.replaced > 0 { parts.append("\(grouped(change.replaced)) replaced") }
        if change.unchanged > 0 { parts.append("\(grouped(change.unchanged)) there already") }
        return parts.joined(separator: ", ")
    }
}

/// A suppression as commands print it for scripts. Times are ISO 8601 in UTC; a value that is not known has no key.
struct SuppressionJSON: Encodable {
    let channel: Channel
    let address: String
    /// `all` for all mailings.
    let category: String
    let reason: Suppression.Reason
    let date: String
    let expiry: String?
    let source: String?
    let provider: String?
    let inForce: Bool

    init(_ one: Suppression, now: Int64) {
        channel = one.key.channel
        address = one.key.address
        category = SuppressionText.category(one)
        reason = one.reason
        date = Timestamp.text(one.at)
        expiry = one.expires.map(Timestamp.text)
        source = one.source.isEmpty ? nil : one.source
        provider = one.provider.isEmpty ? nil : one.provider
        inForce = one.isInForce(at: now)
    }
}

/// The output of `suppressions check` for scripts.
struct SuppressionCheckJSON: Encodable {
    let address: String
    let suppressed: Bool
    /// Those that have expired are among them.
    let suppressions: [SuppressionJSON]
}

extension StandardOutput {
    /// Says what an addition changed.
    static func write(_ change: SuppressionChange, asJSON isJSON: Bool) {
        if isJSON {
            return write(json: "{\"added\":\(change.added),\"replaced\":\(change.replaced),\"unchanged\":\(change.unchanged)}")
        }
        write(SuppressionText.words(change))
    }
}

/// Suppressions, read from the ledger a thousand at a time.
struct SuppressionPages: AsyncSequence {
    static let size = 1000

    let ledger: any OpenLedger
    let filter: SuppressionFilter

    struct AsyncIterator: AsyncIteratorProtocol {
        let ledger: any OpenLedger
        let filter: SuppressionFilter
        var last: Suppression.Key?

        mutating func next() async throws -> [Suppression]? {
            let page = try await ledger.suppressions(filter, after: last, limit: size)
            guard let end = page.last else { return nil }
            last = end.key
            return page
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(ledger: ledger, filter: filter) }
}
