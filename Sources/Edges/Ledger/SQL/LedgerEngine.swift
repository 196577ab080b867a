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

    /// Gets ready for the first rows of mailings whose planning begins; whoever calls it is in no transaction. It does what it can.
    func prepare(for steps: [PlanStep]) async

    /// Removes what a mailing leaves behind whose recipients are removed. It does what it can.
    func tidy(after id: MailingID) async

    /// Makes sure that the ledger is where it was opened.
    func check() throws(LedgerError)

    /// Why the last write failed, if it did for a reason that lies with the database.
    var problem: LedgerError? { get }

    func wake(_ signal: WakeSignal) -> ChangeSubscription

    func close() throws(LedgerError)
}

extension LedgerEngine {
    var notes: LedgerNotes? { nil }
    func prepare(for steps: [PlanStep]) async {}
    func tidy(after id: MailingID) async {}
}

/// What a transaction may run beside.
enum WriteOrder: Sendable {
    /// Any other: it locks the rows that it changes.
    case sideBySide
    /// No other of its kind: what it has read stays true until it ends.
    case alone
}
