import Ledger
import Model
import Telemetry
import Text

/// Words about the category of a mailing that is added.
enum CategoryText {
    /// Warns of a category that nobody has named before and that resembles one: nobody is unsubscribed from a misspelt category.
    static func warn(of mailing: Mailing, in ledger: any OpenLedger) async throws(LedgerError) {
        guard let category = mailing.category else { return }
        let known = try await ledger.categories()
        guard !known.contains(category), let nearest = NearestName.of(category, among: known) else { return }
        StandardError.warn("the category '\(category)' is new, so that nobody is unsubscribed from it; did you mean '\(nearest)'?")
    }
}
