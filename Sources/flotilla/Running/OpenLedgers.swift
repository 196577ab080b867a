import Ledger
import Logging
import Synchronization
import Text

/// The ledgers that this process has open. They are closed at its end, so that an unused ledger is one whole file: until then the last
/// writes are in its write-ahead log, which a copy of the file alone would lack.
enum OpenLedgers {
    private static let all = Mutex<[SQLiteLedger]>([])

    /// Opens an existing ledger. A mistyped path is an error, and not a new ledger.
    static func open(_ path: String, logger: Logger) throws(LedgerError) -> SQLiteLedger {
        kept(try SQLiteLedger.open(path, mustExist: true, logger: logger))
    }

    /// Opens a ledger, and makes one where there is none; `say` gets a sentence about that.
    static func openOrMake(_ path: String, logger: Logger, say: (String) -> Void) throws(LedgerError) -> SQLiteLedger {
        kept(try openOrMakeBriefly(path, logger: logger, say: say))
    }

    /// The same for a caller that closes it soon.
    static func openOrMakeBriefly(_ path: String, logger: Logger, say: (String) -> Void) throws(LedgerError) -> SQLiteLedger {
        let isNew = SQLiteLedger.isMissing(path)
        let note = LedgerNotes(ledger: path).path
        if isNew, FileStatus(path: note) != nil {
            throw .refused(
                """
                the ledger \(path) is gone: \(note) belongs to one that was here. A new one would not know what was sent to whom. Put it \
                back, or a copy (flotilla ledger restore FILE --ledger \(path)); flotilla ledger init --ledger \(path) begins with a new one
                """)
        }
        let ledger = try SQLiteLedger.open(path, logger: logger)
        if isNew { say(NewLedger.words(ledger.path)) }
        return ledger
    }

    private static func kept(_ ledger: SQLiteLedger) -> SQLiteLedger {
        all.withLock { $0.append(ledger) }
        return ledger
    }

    /// A ledger that cannot be closed loses nothing: the next process that opens it reads its log.
    static func close() {
        for ledger in all.withLock({ $0 }) { try? ledger.close() }
    }
}
