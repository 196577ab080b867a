package import Ledger
import Logging
import Policy

extension LedgerLoad {
    /// Opens a ledger, fills it, and measures it.
    /// - Parameters:
    ///   - place: a file, or a URL of PostgreSQL.
    ///   - recipients: of all mailings together.
    package static func run(
        on place: String, mailings: Int, recipients: Int, collectors: Int, say: (String) -> Void
    ) async throws(LedgerError) -> Figures {
        let ledger = try await open(place)
        return try await LedgerLoad(ledger, mailings: mailings, recipients: recipients, collectors: collectors).run(say: say)
    }

    /// Opens an empty ledger.
    static func open(_ place: String) async throws(LedgerError) -> SQLLedger {
        let logger = Logger(label: "flotilla-lab")
        let isURL = place.hasPrefix("postgres")
        let ledger = isURL ? try SQLLedger.open(postgreSQL: place, logger: logger) : try SQLiteLedger.open(place, logger: logger)
        guard try await ledger.mailings(states: nil, limit: 1).isEmpty else {
            throw .refused("the ledger \(isURL ? "in PostgreSQL" : place) has mailings already; name an empty one")
        }
        return ledger
    }
}

extension EventLoad {
    /// As the collector has them, for a message of two links.
    private static let rules = EventRules(EventClassifier(.builtIn)) { _ in [2] }

    /// Opens a ledger, fills it, and measures it.
    /// - Parameter place: a file, or a URL of PostgreSQL.
    package static func run(
        on place: String, recipients: Int, events: Int, say: (String) -> Void
    ) async throws(LedgerError) -> Figures {
        try await EventLoad(LedgerLoad.open(place), EventLoad.rules, recipients: recipients, events: events).run(say: say)
    }
}

extension ReceiptLoad {
    /// Opens a ledger, fills it, and measures it.
    /// - Parameter place: a file, or a URL of PostgreSQL.
    package static func run(
        on place: String, recipients: Int, receipts: Int, say: (String) -> Void
    ) async throws(LedgerError) -> Figures {
        try await ReceiptLoad(LedgerLoad.open(place), recipients: recipients, receipts: receipts).run(say: say)
    }
}
