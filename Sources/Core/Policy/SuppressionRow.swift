package import Model
import Text

/// A suppression as a person or a table writes it: each value as text, empty where there is none.
package struct SuppressionRow: Sendable, Equatable {
    /// The values of a row, by the names that tables have for them.
    package enum Field: String, Sendable, CaseIterable {
        case channel, address, category, reason, date, expiry, source, provider
    }

    /// Why one of the values does not do.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let field: Field
        /// The end of a sentence that begins with the value.
        package let problem: String

        package var description: String { "\(field.rawValue) \(problem)" }
    }

    /// All that is wrong with a row.
    package struct Faults: Error, Equatable, Sendable {
        /// In the order of the fields; one at least.
        package let all: [Fault]
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
    /// - Throws: the first fault.
    package func read(country: PhoneCountry?, reason usual: Suppression.Reason, now: Int64) throws(Fault) -> Suppression {
        switch judge(country: country, reason: usual, now: now) {
        case .success(let one): return one
        case .failure(let faults): throw faults.all[0]
        }
    }

    /// The same, with all that is wrong: whoever corrects a table corrects a row once. Without its channel an address is not looked at.
    package func judge(country: PhoneCountry?, reason usual: Suppression.Reason, now: Int64) -> Swift.Result<Suppression, Faults> {
        var faults: [Fault] = []
        func taken<Value>(_ body: () throws(Fault) -> Value) -> Value? {
            do throws(Fault) { return try body() } catch {
                faults.append(error)
                return nil
            }
        }
        let channel = taken(channelName)
        let address = taken { () throws(Fault) -> String? in try addressKey(channel, country) } ?? nil
        let category = taken(categoryName)
        let date = taken { () throws(Fault) -> Int64? in try moment(.date) } ?? nil
        let expires = taken { () throws(Fault) -> Int64? in try moment(.expiry) } ?? nil
        // A day begins in UTC; where people are ahead of that it is today.
        if let date, date > now + Self.day { faults.append(fault(.date, "is to come; it says since when the suppression is known")) }
        if let date, let expires, expires <= date {
            faults.append(fault(.expiry, "is not after the date, \(Self.shown(trimmed(.date)))"))
        }
        let reason = taken { () throws(Fault) -> Suppression.Reason in try choice(.reason) ?? usual }
        let source = taken(deliveryName)
        let provider = taken(providerName)
        guard faults.isEmpty, let channel, let address, let category, let reason, let source, let provider else {
            return .failure(Faults(all: faults))
        }
        let key = Suppression.Key(channel, address, category: category)
        let at = date ?? min(now, expires ?? now)
        return .success(Suppression(key, reason: reason, source: source, provider: provider, at: at, expires: expires))
    }

    private func channelName() throws(Fault) -> Channel {
        guard let channel: Channel = try choice(.channel) else { throw missing(.channel) }
        return channel
    }

    /// - Returns: nil where the channel is not known, and so neither what its addresses are.
    private func addressKey(_ channel: Channel?, _ country: PhoneCountry?) throws(Fault) -> String? {
        guard !trimmed(.address).isEmpty else { throw missing(.address) }
        guard self[.address].utf8.count <= Self.longestAddress else {
            throw Fault(field: .address, problem: "is longer than \(Self.longestAddress) bytes")
        }
        guard let channel else { return nil }
        do throws(NormalAddress.Fault) {
            return try NormalAddress.key(self[.address], channel, country: country)
        } catch { throw Fault(field: .address, problem: "'\(Self.shown(self[.address]))' is no address (\(error.description))") }
    }

    private func trimmed(_ field: Field) -> String { String(self[field].trimmed) }

    /// What an error shows of a value.
    private static func shown(_ text: String) -> String { SingleLine.clean(text.utf8, longest: 80) }

    private func missing(_ field: Field) -> Fault { Fault(field: field, problem: "is missing") }

    private func fault(_ field: Field, _ problem: String) -> Fault {
        Fault(field: field, problem: "'\(Self.shown(trimmed(field)))' \(problem)")
    }

    /// The category's name; empty for all mailings.
    package func categoryName() throws(Fault) -> String {
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

    private func providerName() throws(Fault) -> String {
        let text = trimmed(.provider)
        guard text.utf8.count <= 255, text.allSatisfy({ !$0.isNewline }) else {
            throw fault(.provider, "is no name of a provider, which has 255 bytes at most")
        }
        return text
    }

    private func deliveryName() throws(Fault) -> String {
        let text = trimmed(.source)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isDelivery =
            parts.count == 3 && MailingID(String(parts[0])) != nil
            && parts[1...].allSatisfy { $0.utf8.allSatisfy(\.isDigit) && (1...10).contains($0.utf8.count) }
        guard text.isEmpty || isDelivery else { throw fault(.source, "is no delivery, which is named as MAILING.BATCH.INDEX") }
        return text
    }
}
