import ArgumentParser
import Ledger
import Model
import Policy

/// The names that options of these commands have.
enum SuppressedNames {
    /// - Returns: empty for all mailings; nil where none is named.
    static func category(_ text: String?) throws -> String? {
        guard let text = text?.lowercased() else { return nil }
        if text == Category.all { return "" }
        if let fault = Category.fault(text) { throw ValidationError("--category '\(text)' \(fault)") }
        return text
    }

    /// The same for a category that the ledger knows: a misspelt one would find nothing, and say so as if that were the answer.
    /// - Throws: `CommandError` where it does not know it.
    static func known(_ text: String?, in ledger: any OpenLedger, _ options: LedgerOptions) async throws -> String? {
        guard let category = try category(text) else { return nil }
        let known = KnownCategories(category.isEmpty ? [] : try await ledger.categories(), ledger: options.ledger)
        if let fault = known.fault(category) { throw CommandError("--category \(fault)") }
        return category
    }

    /// Reads what the options of a command say of an address.
    /// - Throws: `ValidationError`, which names the option.
    static func read(
        _ row: SuppressionRow, country: PhoneCountry?, reason: Suppression.Reason, now: Int64
    ) throws -> Suppression {
        do { return try row.read(country: country, reason: reason, now: now) } catch {
            switch error.field {
            case .address: throw ValidationError("\(error.problem)")
            case .expiry: throw ValidationError("--expiry \(error.problem), or a span from now as 90d")
            case .channel, .category, .reason, .date, .source, .provider: throw ValidationError("--\(error)")
            }
        }
    }

    static func country(_ text: String?) throws -> PhoneCountry? {
        guard let text else { return nil }
        guard let country = PhoneCountry(text) else {
            throw ValidationError("--country '\(text)' is no ISO 3166-1 code such as DE")
        }
        return country
    }
}
