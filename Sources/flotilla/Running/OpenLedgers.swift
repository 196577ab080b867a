import Ledger
import Logging
import Settings
import Synchronization
import Telemetry
import Text

/// The ledgers that this process has open. They are closed at its end, so that an unused ledger is one whole file: until then the last
/// writes are in its write-ahead log, which a copy of the file alone would lack.
enum OpenLedgers {
    private static let all = Mutex<[any OpenLedger]>([])
    /// Paths at which there was no ledger when this process was about to begin with one, and whether it has made one there since.
    private static let begun = Mutex<[String: Bool]>([:])

    /// Opens an existing ledger. A mistyped place is an error, and not a new ledger.
    static func open(_ place: LedgerPlace, logger: Logger) throws(LedgerError) -> any OpenLedger {
        switch place {
        case .file(let path): kept(try SQLiteLedger.open(path, mustExist: true, logger: logger))
        case .postgreSQL(let url): kept(try SQLLedger.open(PostgreSQLAddress(url), logger: logger))
        }
    }

    /// Opens a ledger for whoever begins with it: where there is none, one is made, and `say` gets words about that.
    /// - Parameter files: in their folders another ledger may be meant.
    static func openOrMake(
        _ place: LedgerPlace, near files: [String] = [], logger: Logger, say: (String) -> Void
    ) throws(LedgerError) -> any OpenLedger {
        kept(try openOrMakeBriefly(place, near: files, logger: logger, say: say))
    }

    /// The same for whoever closes it soon.
    static func openOrMakeBriefly(
        _ place: LedgerPlace, near files: [String] = [], logger: Logger, say: (String) -> Void
    ) throws(LedgerError) -> any OpenLedger {
        let isNew: Bool
        let ledger: any OpenLedger
        switch place {
        case .file(let path):
            isNew = SQLiteLedger.isMissing(path)
            if isNew { try refuseGone(path) }
            if isNew { begun.withLock { $0[path] = true } }
            ledger = try SQLiteLedger.open(path, logger: logger)
        case .postgreSQL(let url):
            var made = false
            ledger = try SQLLedger.open(PostgreSQLAddress(url), logger: logger) { made = true }
            isNew = made
        }
        if isNew { say(NewLedger.words(ledger.path, near: files)) }
        return ledger
    }

    private static func refuseGone(_ path: String) throws(LedgerError) {
        let note = LedgerNotes(ledger: path).path
        guard FileStatus(path: note) != nil else { return }
        throw .refused(
            """
            the ledger \(path) is gone: \(note) tells of one that was here. A new one would not know who had what. Put it back, or a \
            copy (flotilla ledger restore FILE --ledger \(path)); flotilla ledger init --ledger \(path) begins with a new one
            """)
    }

    private static func kept(_ ledger: any OpenLedger) -> any OpenLedger {
        all.withLock { $0.append(ledger) }
        return ledger
    }

    /// Notes that there is no ledger at a path, before anything is written there.
    static func noteMissing(_ path: String) { begun.withLock { $0[path] = $0[path] ?? false } }

    /// A ledger that cannot be closed loses nothing: the next process that opens it reads its log.
    /// - Parameter isFailed: the command was refused, or failed: a ledger that it made and wrote nothing to is removed, with its lock.
    static func end(isFailed: Bool) {
        for ledger in all.withLock({ $0 }) { try? ledger.close() }
        guard isFailed else { return }
        for (path, isMade) in begun.withLock({ $0 }) {
            guard SQLiteLedger.removeUnused(path, isMade: isMade), isMade else { continue }
            StandardError.write("the new ledger \(LogText.line(path)) was removed again, as nothing was written to it")
        }
    }
}
