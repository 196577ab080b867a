package import Ledger
package import Model

/// An order: a typed value with all that it needs. `Control` carries it out. Its effect and its audit entry are one transaction.
package protocol Order: Sendable {
    associatedtype Outcome: Sendable

    /// What the audit log and the log call it.
    var kind: AuditNote.Order { get }

    /// What it is about, for the audit log.
    var object: AuditedObject { get }

    /// Checks that the order fits what the ledger holds, and carries it out.
    /// - Throws: `OrderError`, with nothing changed.
    func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome

    /// Why the order changed nothing, though nothing failed; nil where it did what it says.
    func obstacle(_ outcome: Outcome) -> OrderObstacle?
}

extension Order {
    package func obstacle(_ outcome: Outcome) -> OrderObstacle? { nil }
}

/// Why an order changed nothing.
package enum OrderObstacle: Sendable, Equatable, CustomStringConvertible {
    /// It does not fit: its command ends with an error.
    case refused(String)
    /// All is as it says already: its command has done what it was asked.
    case unchanged(String)

    package var description: String {
        switch self {
        case .refused(let why): "order refused: \(why)"
        case .unchanged(let why): "order changes nothing: \(why)"
        }
    }
}

/// What an order is carried out with.
package struct OrderContext: Sendable {
    package let ledger: any Control.Store
    package let announcer: OrderAnnouncer
    package let actor: OrderActor
    let note: AuditNote
    /// Milliseconds since 1970.
    package let now: Int64

    /// The mailing that an order is about.
    func mailing(_ id: MailingID) async throws(OrderError) -> MailingRecord {
        let found = try await OrderError.mapping { () async throws(LedgerError) in try await ledger.mailing(id) }
        guard let found else { throw .refused("there is no mailing \(id) in the ledger; flotilla mailing list shows them") }
        return found
    }
}
