package import Customers

/// Events and orders of customers.
package protocol CustomerHistoryStore: Sendable {
    /// Those of some ids that no customer has.
    func unknownCustomers(of ids: [String]) async throws(LedgerError) -> Set<String>

    /// Adds events in one transaction. One whose key is there already, and one of an unknown customer, changes nothing.
    /// - Parameter audit: the order that adds them; nil where nobody gave one.
    func store(_ events: [CustomerEvent], audit: CustomerAudit?, now: Int64) async throws(LedgerError) -> HistorySummary

    /// Adds orders, in the same way.
    func store(_ orders: [CustomerOrder], audit: CustomerAudit?, now: Int64) async throws(LedgerError) -> HistorySummary

    /// The names that events have.
    func eventNames() async throws(LedgerError) -> [String]
}

/// What an import of events or orders changed.
package struct HistorySummary: Sendable, Equatable {
    package var added = 0
    /// Those whose key was there already.
    package var known = 0
    /// Those of customers whom the ledger does not have.
    package var unknown = 0
    /// The number of the audit entry.
    package var entry: Int64?

    package init() {}

    package static func += (sum: inout HistorySummary, part: HistorySummary) {
        sum.added += part.added
        sum.known += part.known
        sum.unknown += part.unknown
        sum.entry = part.entry ?? sum.entry
    }
}
