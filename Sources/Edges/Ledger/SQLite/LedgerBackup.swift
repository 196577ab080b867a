import Foundation
import GRDB
package import Model
import Text

/// Copies of a ledger: made while roles run, and restored while none does.
package enum LedgerBackup {
    /// What a copy has come to.
    package struct Summary: Sendable, Equatable {
        /// In bytes.
        package var size: Int
        /// The ledger's commits that are in it.
        package var commits: Int64
        /// What was merged from the replaced ledger; nil where there was none.
        package var merged: RestoreMerge?
        /// After a restore: the ids of mailings whose recipients may have been sent to since, the newest first.
        package var doubtful: [String] = []
    }

    /// Copies a ledger into one file, as it is at one moment, while others read and write it. Only the owner may read the file. It replaces
    /// an older copy in one step, after it was read again and found sound. The copy of a damaged ledger replaces nothing: it is kept as
    /// `FILE.damaged`.
    /// - Throws: `LedgerError`; `refused` where the ledger does not exist, was moved to a server, is damaged, or is the file itself.
    package static func make(of path: String, to file: String) throws(LedgerError) -> Summary {
        guard FileStatus(path: path) != nil else { throw .missing(path: path) }
        // A copy made each night would go on without a word, and have nothing of what the server's ledger has.
        do throws(LedgerError) { try SQLiteLedger.requireHere(path) } catch {
            if case .refused = error { throw error }
        }
        guard FileStatus(path: path)?.identity != FileStatus(path: file)?.identity else {
            throw .refused("\(file) is the ledger itself; name another file")
        }
        if let other = FileStatus(path: file), other.kind != .regular || other.size > 0 {
            do throws(LedgerError) { _ = try check(file) } catch {
                switch error {
                case .foreign, .notADatabase: throw .refused("\(file) is there and is no copy of a ledger; name another file")
                // A damaged copy is replaced.
                default: break
                }
            }
            if let there = identity(of: file), let ours = identity(of: path), there != ours {
                throw .refused("\(file) is another ledger, or a copy of another one; name another file")
            }
        }
        return try writing(file) { (partial: String) throws(LedgerError) in
            try LedgerError.mapping(path: path, operation: "backup") {
                let source = try open(path)
                defer { try? source.close() }
                // Reads one snapshot, and so waits for nobody.
                try source.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [partial]) }
            }
            let faults = try SQLiteLedger.damage(of: partial)
            guard faults.isEmpty else {
                try move(partial, to: file + ".damaged")
                throw LedgerError.refused(
                    """
                    the ledger \(path) is damaged, and so is its copy, which is kept as \(file).damaged (\(words(faults))). \(file) was \
                    not written. flotilla ledger check tells more; flotilla ledger restore puts the last good copy back, and takes over \
                    what can be read of the ledger
                    """)
            }
            return try commits(of: partial, marking: nil)
        }
    }

    static func words(_ faults: [LedgerInspection.Fault]) -> String {
        let first = faults.prefix(3).map { ($0.mailing.map { "mailing \($0), " } ?? "") + $0.text }.joined(separator: "; ")
        return faults.count > 3 ? "\(first); and more" : first
    }

    /// Makes sure that a file is a whole ledger of this release.
    /// - Returns: its commits.
    static func check(_ file: String) throws(LedgerError) -> Int64 {
        try LedgerError.mapping(path: file, operation: "reading the copy") {
            let copy = try open(file, isReadonly: true)
            defer { try? copy.close() }
            return try copy.read { db in
                guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
                    throw LedgerError.foreign(path: file)
                }
                let migrator = Schema.migrator
                let found = try migrator.appliedIdentifiers(db)
                let unknown = found.subtracting(migrator.migrations)
                guard unknown.isEmpty else { throw LedgerError.newer(path: file, found: unknown.sorted()) }
                let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? ""
                guard problem == "ok" else { throw LedgerError.corrupt(path: file, detail: problem) }
                return found.contains("10 copies") ? try Int64.fetchOne(db, sql: "SELECT commits FROM ledger") ?? 0 : 0
            }
        }
    }

    /// Writes a file beside its place, and moves it there once it is whole and on the disk.
    static func writing(_ file: String, _ body: (_ partial: String) throws(LedgerError) -> Summary) throws(LedgerError) -> Summary {
        let partial = "\(file).partial-\(getpid())"
        let descriptor = Foundation.open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: partial, detail: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        do throws(LedgerError) {
            let summary = try body(partial)
            fsync(descriptor)
            // SQLite would take the log of the former file for this one's.
            for end in ["-wal", "-shm", "-journal"] { unlink(file + end) }
            try move(partial, to: file)
            return summary
        } catch {
            for end in ["", "-wal", "-shm", "-journal"] { unlink(partial + end) }
            throw error
        }
    }

    static func move(_ from: String, to: String) throws(LedgerError) {
        guard rename(from, to) == 0 else { throw .unwritable(path: to, detail: String(cString: strerror(errno))) }
    }

    static func copy(_ file: String, to partial: String) throws(LedgerError) {
        try LedgerError.mapping(path: file, operation: "copying") {
            let source = try open(file, isReadonly: true)
            let target = try DatabaseQueue(path: partial)
            defer {
                try? source.close()
                try? target.close()
            }
            try source.backup(to: target)
        }
    }

    /// Reads how far a copy has come, after its migration to this release.
    /// - Parameter restoration: nil for a copy that takes no ledger's place.
    static func commits(of file: String, marking restoration: Restoration?) throws(LedgerError) -> Summary {
        try LedgerError.mapping(path: file, operation: "reading the copy") {
            let copy = try open(file)
            defer { try? copy.close() }
            if restoration != nil { try Schema.migrator.migrate(copy) }
            var (merged, doubtful): (RestoreMerge?, [String]) = (nil, [])
            let commits = try copy.inDatabase { db in
                if let restoration {
                    // A copy of a file that was moved is the ledger from now on.
                    try db.execute(sql: "UPDATE ledger SET restored = ?, moved_to = '', moved = NULL", arguments: [restoration.at])
                    // The list may continue from an older revision: plans must not rely on theirs.
                    try db.execute(sql: "UPDATE mailing SET restored = 1, suppression_revision = 0")
                    merged = restoration.replaced.map { mergeMailings(from: $0, into: db, now: restoration.at) }
                    doubtful = try String.fetchAll(
                        db,
                        sql: """
                            SELECT id FROM mailing WHERE restored = 1 AND settled = 0 AND state NOT IN ('draft', 'sent', 'failed')
                            ORDER BY id DESC
                            """)
                    var after = AuditedValues()
                    after.file = restoration.file
                    try SQLLedger.note(
                        SQLiteTransaction(db), restoration.note, on: .ledger, before: AuditedValues(), after: after, now: restoration.at)
                }
                return try Schema.migrator.hasCompletedMigrations(db) ? Int64.fetchOne(db, sql: "SELECT commits FROM ledger") ?? 0 : 0
            }
            return Summary(size: Int(FileStatus(path: file)?.size ?? 0), commits: commits, merged: merged, doubtful: doubtful)
        }
    }

    /// The identity of the ledger that a copy was made of; nil for a file that is none.
    package static func identity(of file: String) -> String? {
        let copy = try? open(file, isReadonly: true)
        defer { try? copy?.close() }
        return try? copy?.read { try String.fetchOne($0, sql: "SELECT identity FROM ledger") }
    }

    /// The mailing of an identity that was added last to the ledger in a file, whatever its version; nil where there is none, and where the
    /// last one failed.
    package static func lastMailing(of identity: MailingIdentity, in file: String) -> MailingID? {
        let copy = try? open(file, isReadonly: true)
        defer { try? copy?.close() }
        let found = try? copy?.read {
            try Row.fetchOne(
                $0, sql: "SELECT id, state FROM mailing WHERE identity = ? ORDER BY created DESC, id DESC LIMIT 1",
                arguments: [identity.description])
        }
        guard let found, found["state"] as String != MailingState.failed.rawValue else { return nil }
        return MailingID(found["id"] as String)
    }

    static func open(_ path: String, isReadonly: Bool = false) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "ledger copy"
        configuration.readonly = isReadonly
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(10)
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}
