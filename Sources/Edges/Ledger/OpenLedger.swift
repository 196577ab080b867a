/// An open ledger, whatever engine keeps it: all of its stores, and what whoever opened it needs besides.
package protocol OpenLedger: LedgerStore, MessageStore, CustomerStore, CustomerHistoryStore, SegmentStore {
    /// What the ledger is called in texts: a path, or a URL without secrets.
    var path: String { get }

    /// Why the last write failed, if it did for a reason that lies with the database; nil where it did not.
    var problem: LedgerError? { get }

    /// Closes the database, after what is under way.
    func close() throws(LedgerError)
}

extension SQLLedger: OpenLedger {}
