package import Model
import Text

/// A suppression as a person or a table writes it: each value as text, empty where there is none.
package struct SuppressionRow: Sendable, Equatable {
    /// The values of a row, by the names that tables have for them.
    package enum Field: String, Sendable, CaseIterable {
        case channel, address, category, reason, date, expiry, source
    }

    /// Why one of the values does not do.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let field: Field
        /// The end of a sentence that begins with the value.
        package let problem: String

        package var description: String { "\(field.rawValue) \(problem)" }
    }

    /// Bytes of an address at most.
    private static let longestAddress = 1024
    /// In milliseconds.
    private static let day: Int64 = 86_400_000

    package var values: [Field: String] = [:]

    package init() {}

    package subscript(field: Field) -> String {
        get { values[field] ?? "" }
        set { values[field] = newValue }
    }

    /// Reads the values.
    /// - Parameters:
    ///   - country: of telephone numbers without a country code.
    ///   - reason: where the row has none.
    ///   - now: milliseconds since 1970, the date where the row has none.
    package func read(country: PhoneCountry?, reason usual: Suppression.Reason, now: Int64) throws(Fault) -> Suppression {
        guard let channel: Channel = try choice(.channel) else { throw missing(.channel) }
        guard !trimmed(.address).isEmpty else { throw missing(.address) }
        guard self[.address].utf8.count <= Self.longestAddress else {
            throw Fault(field: .address, problem: "is longer than \(Self.longestAddress) bytes")
        }
        let address: String
        do throws(NormalAddress.Fault) {
            address = try NormalAddress.key(self[.address], channel, country: country)
        } catch { throw Fault(field: .address, problem: "'\(Self.shown(self[.address]))' is no address (\(error.description))") }
        let key = Suppression.Key(channel, address, category: try category())
        let date = try moment(.date)
        let expires = try moment(.expiry)
        // A day begins in UTC; where people are ahead of that it is today.
        if let date, date > now + Self.day { throw fault(.date, "is to come; it says since when the suppression is known") }
        if let date, let expires, expires <= date { throw fault(.expiry, "is not after the date, \(Self.shown(trimmed(.date)))") }
        let at = date ?? min(now, expires ?? now)
        return Suppression(key, reason: try choice(.reason) ?? usual, source: try source(), at: at, expires: expires)
    }

    private func trimmed(_ field: Field) -> String { String(self[field].trimmed) }

    /// What an error shows of a value.
    private static func shown(_ text: String) -> String { SingleLine.clean(text.utf8, longest: 80) }

    private func missing(_ field: Field) -> Fault { Fault(field: field, problem: "is missing") }

    private func fault(_ field: Field, _ problem: String) -> Fault {
        Fault(field: field, problem: "'\(Self.shown(trimmed(field)))' \(problem)")
    }

    private func category() throws(Fault) -> String {
        let text = trimmed(.category).lowercased()
        if text.isEmpty || text == Category.all { return "" }
        if let problem = Category.fault(text) { throw fault(.category, problem) }
        return text
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(_ field: Field) throws(Fault) -> Choice? {
        let text = trimmed(field)
        if text.isEmpty { return nil }
        if let choice = Choice(rawValue: text.lowercased()) { return choice }
        throw fault(field, "is not allowed; it is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    /// A time of RFC 3339, or a day alone, which begins at midnight UTC.
    private func moment(_ field: Field) throws(Fault) -> Int64? {
        let text = trimmed(field)
        if text.isEmpty { return nil }
        do throws(MomentError) {
            let found = try Moment(text.utf8.count == 10 ? "\(text)T00:00:00Z" : text).milliseconds
            guard found > 0, found <= WireLimit.time.upperBound else { throw MomentError(text: text, problem: .impossible) }
            return found
        } catch {
            throw fault(field, "is no time; write a day as 2026-12-01, or a time as 2026-12-01T09:00:00Z")
        }
    }

    private func source() throws(Fault) -> String {
        let text = trimmed(.source)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isDelivery =
            parts.count == 3 && MailingID(String(parts[0])) != nil
            && parts[1...].allSatisfy { $0.utf8.allSatisfy(\.isDigit) && (1...10).contains($0.utf8.count) }
        guard text.isEmpty || isDelivery else { throw fault(.source, "is no delivery, which is named as MAILING.BATCH.INDEX") }
        return text
    }
}
