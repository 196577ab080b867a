import Logging
import Model

/// A database that a ledger is kept in: it runs the ledger's transactions, and tells of changes.
protocol LedgerEngine: Sendable {
    /// What the ledger is called in errors: a path, or a URL without secrets.
    var name: String { get }

    var logger: Logger { get }

    /// The notes beside the ledger; nil for a server's database, beside which there is no place: what a restored one lacks is not known.
    var notes: LedgerNotes? { get }

    /// Runs `body` in one transaction of its own, and again where the engine undid it through no fault of the caller's: `body` changes
    /// nothing but the database. It is finished even when its task is cancelled.
    func transact<T: Sendable>(
        _ operation: String, _ order: WriteOrder, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T

    /// Runs `body` on one unchanging view of the ledger.
    func view<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T

    /// Prepares for the first rows of mailings whose planning begins. It is called outside of transactions.
    /// - Throws: `LedgerError` where these rows would be refused now, and not later.
    func prepare(for steps: [PlanStep]) async throws(LedgerError)

    /// Removes what is left of a mailing whose recipients were removed. A failure is no error.
    func tidy(after id: MailingID) async

    /// Has what was overwritten, or removed, leave the engine's own files as far as that can be done while others work. It does what it
    /// can.
    func dropOverwritten() async

    /// Makes sure that the ledger is where it was opened.
    func check() throws(LedgerError)

    /// Why the last write failed, where the database was the cause; nil otherwise.
    var problem: LedgerError? { get }

    func wake(_ signal: WakeSignal) -> ChangeSubscription

    func close() throws(LedgerError)
}

extension LedgerEngine {
    var notes: LedgerNotes? { nil }
    func prepare(for steps: [PlanStep]) async throws(LedgerError) {}
    func tidy(after id: MailingID) async {}
    func dropOverwritten() async {}
}

/// What a transaction may run beside.
enum WriteOrder: Sendable {
    /// Any other transaction: it locks the rows that it changes.
    case sideBySide
    /// No other exclusive transaction: what it has read stays true until it ends.
    case alone
}
