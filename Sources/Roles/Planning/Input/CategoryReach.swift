package import Ledger
package import Model
import Policy

/// How many people of a file have unsubscribed from a category, and get a mailing that names none: suppressions for a category count for
/// mailings of that category alone.
package struct CategoryReach: Sendable, Equatable {
    /// Rows that are looked at, so that the time stays bounded.
    private static let mostRows = 1_000_000
    /// Addresses in a question to the ledger.
    private static let page = 5000

    package var people = 0
    /// Rows that were looked at where the file has more; nil where it was read to its end.
    package var limit: Int?

    /// Reads a mailing's recipients; nothing is read of them where nobody has unsubscribed from a category.
    /// - Parameter now: milliseconds since 1970.
    package init(of source: RecipientSource, _ channel: Channel, in ledger: any SuppressionStore, now: Int64) async throws {
        guard try await ledger.hasCategorySuppressions(channel) else { return }
        var reader = try RecipientReader(source)
        guard let column = reader.columns.firstIndex(of: source.address) else { return }
        let country = source.country.flatMap { PhoneCountry($0) }
        var row = InputRow()
        var keys: [String] = []
        var found: Set<String> = []
        var rows = 0
        while try reader.next(&row) {
            guard rows < Self.mostRows else {
                limit = rows
                break
            }
            rows += 1
            guard row.fault == nil, column < row.count, let key = try? NormalAddress.key(row[column], channel, country: country) else {
                continue
            }
            keys.append(key)
            guard keys.count == Self.page else { continue }
            found.formUnion(try await ledger.suppressedForCategories(keys, channel, now: now))
            keys.removeAll(keepingCapacity: true)
        }
        found.formUnion(try await ledger.suppressedForCategories(keys, channel, now: now))
        people = found.count
    }
}
