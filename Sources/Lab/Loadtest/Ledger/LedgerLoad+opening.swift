package import Ledger
import Logging

extension LedgerLoad {
    /// Opens a ledger, fills it, and measures it.
    /// - Parameters:
    ///   - place: a file, or a URL of PostgreSQL.
    ///   - recipients: of all mailings together.
    package static func run(
        on place: String, mailings: Int, recipients: Int, collectors: Int, say: (String) -> Void
    ) async throws(LedgerError) -> Figures {
        let logger = Logger(label: "flotilla-lab")
        let isURL = place.hasPrefix("postgres")
        let ledger: any LedgerStore =
            isURL ? try SQLLedger.open(postgreSQL: place, logger: logger) : try SQLiteLedger.open(place, logger: logger)
        guard try await ledger.mailings(states: nil, limit: 1).isEmpty else {
            throw .refused("the ledger \(isURL ? "in PostgreSQL" : place) has mailings already; name an empty one")
        }
        return try await LedgerLoad(ledger, mailings: mailings, recipients: recipients, collectors: collectors).run(say: say)
    }
}
