import Ledger
import Logging
import Synchronization

/// The ledgers that this process has open. They are closed at its end, so that a ledger nobody uses is one whole file: until then, what was
/// written last stands in its write-ahead log, and whoever copied the file alone would copy less.
enum OpenLedgers {
    private static let all = Mutex<[SQLiteLedger]>([])

    static func open(_ path: String, logger: Logger) throws(LedgerError) -> SQLiteLedger {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        all.withLock { $0.append(ledger) }
        return ledger
    }

    /// What cannot be closed loses nothing: its log is read by whoever opens it next.
    static func close() {
        for ledger in all.withLock({ $0 }) { try? ledger.close() }
    }
}
