package import Customers
package import Model

/// Customers with their addresses, subscriptions and attributes.
package protocol CustomerStore: Sendable {
    /// The attributes that customers may have, by name.
    func attributes() async throws(LedgerError) -> [Attribute]

    /// Adds an attribute; of a name that is there already with the same type nothing changes.
    /// - Returns: whether it is new.
    /// - Throws: `LedgerError.refused` where there is one with another type, or there are too many.
    func addAttribute(_ name: String, _ type: AttributeType, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool

    /// Adds customers, and changes those that there are, in one transaction. Each id occurs once.
    /// - Parameters:
    ///   - source: where the subscriptions come from, and those customers who are new.
    ///   - audit: the order that adds them; nil where nobody gave one.
    func store(
        _ changes: [CustomerChange], source: String, proof: String, audit: CustomerAudit?, now: Int64
    ) async throws(LedgerError) -> CustomerSummary

    /// The customer with an id; nil for none.
    func customer(_ id: String) async throws(LedgerError) -> Customer?

    /// The ids of customers with an address, in order.
    /// - Parameter key: as `AddressKey` has it.
    func customers(with key: String, _ channel: Channel, limit: Int) async throws(LedgerError) -> [String]

    /// Customers in the order in which they were added.
    /// - Parameters:
    ///   - after: the place of the last one of the page before; 0 for the first page.
    ///   - limit: how many at most.
    func customers(after place: Int64, limit: Int) async throws(LedgerError) -> CustomerPage

    /// How many customers there are, by status.
    func customerCounts() async throws(LedgerError) -> [CustomerStatus: Int]

    /// Removes customers with all that the ledger's tables of customers have of them.
    /// - Returns: how many there were.
    func removeCustomers(_ ids: [String], note: AuditNote?, now: Int64) async throws(LedgerError) -> Int
}

package struct CustomerPage: Sendable {
    package var customers: [Customer]
    /// Of the last one, for the next page.
    package var last: Int64
}

/// The order that changes customers. One that takes several transactions has one audit entry.
package struct CustomerAudit: Sendable, Equatable {
    package var note: AuditNote
    /// The file that they come from.
    package var file: String
    /// The entry of the transactions before; nil for the first.
    package var entry: Int64?
    /// Customers of the transactions before.
    package var changed = 0

    package init(_ note: AuditNote, file: String) { (self.note, self.file) = (note, file) }
}

/// What an import changed.
package struct CustomerSummary: Sendable, Equatable {
    package var added = 0
    /// Those who were there.
    package var updated = 0
    /// Addresses that are none of their channel.
    package var invalidAddresses = 0
    /// Subscriptions whose state is new.
    package var subscriptions = 0
    /// The number of the audit entry.
    package var entry: Int64?

    package init() {}

    package static func += (sum: inout CustomerSummary, part: CustomerSummary) {
        sum.added += part.added
        sum.updated += part.updated
        sum.invalidAddresses += part.invalidAddresses
        sum.subscriptions += part.subscriptions
        sum.entry = part.entry ?? sum.entry
    }
}
