import Foundation
import GRDB
import Model
import Text

/// Copies of a ledger: made while roles run, and put back when none does.
package enum LedgerBackup {
    /// What a copy has come to.
    package struct Summary: Sendable, Equatable {
        /// In bytes.
        package var size: Int
        /// The ledger's commits that are in it.
        package var commits: Int64
        /// What became of the mailings that the ledger of before had, and the copy has not; nil where there was no ledger.
        package var carried: CarriedMailings?
        /// Of a copy that was put back: the ids of mailings of which recipients may have been sent to since, the newest first.
        package var doubtful: [String] = []
    }

    /// Copies a ledger into one file, as it is at one moment, while others read and write it. Only the owner may read the file, which takes
    /// the place of an older copy at once and as a whole, once it was read again. A copy of what is damaged takes no place: it is kept as
    /// `FILE.damaged`.
    /// - Throws: `LedgerError`; `refused` where the ledger does not exist, is damaged, or is the file itself.
    package static func make(of path: String, to file: String) throws(LedgerError) -> Summary {
        guard FileStatus(path: path) != nil else { throw .missing(path: path) }
        guard FileStatus(path: path)?.identity != FileStatus(path: file)?.identity else {
            throw .refused("\(file) is the ledger itself; name another file")
        }
        if let other = FileStatus(path: file), other.kind != .regular || other.size > 0 {
            do throws(LedgerError) { _ = try check(file) } catch {
                switch error {
                case .foreign, .notADatabase: throw .refused("\(file) is there and is no copy of a ledger; name another file")
                // One that is damaged is replaced.
                default: break
                }
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

    /// Puts a copy in the place of a ledger, and marks it as one: its planner sends nothing to people of whom it cannot know whether they
    /// were sent to since. What was in its place is kept beside it, and its mailings that the copy lacks are taken over.
    /// - Parameters:
    ///   - isForced: a newer ledger with mailings that have not ended is replaced too, and one whose mailings cannot be taken over.
    ///   - elsewhere: what is known of the ledger besides its file and the note beside it.
    ///   - note: the order, for the audit log of the restored ledger.
    ///   - now: milliseconds since 1970.
    ///   - agree: gets words about what is lost, and tells whether the copy takes the ledger's place nevertheless. It is not asked where
    ///     nothing is lost, or by force.
    /// - Returns: what was put there, and where the ledger is that was there before; nil where there was none.
    /// - Throws: `LedgerError`; `busy` or `held` while a role has the ledger open; `refused`.
    package static func restore(
        _ file: String, to path: String, isForced: Bool, elsewhere: KnownElsewhere = KnownElsewhere(), note: AuditNote? = nil, now: Int64,
        agree: (String) -> Bool = { _ in false }
    ) throws(LedgerError) -> (summary: Summary, kept: String?) {
        guard FileStatus(path: file) != nil else { throw .refused("there is no file \(file)") }
        guard FileStatus(path: path)?.identity != FileStatus(path: file)?.identity else {
            throw .refused("\(file) is the ledger itself; name its copy")
        }
        let copied = try check(file)
        let lock = try LedgerLock.acquire(ledger: path)
        defer { lock.release() }
        let isReplaced = FileStatus(path: path) != nil
        if isReplaced {
            if !isForced { try requireHere(path) }
            try requireReplaceable(path, by: copied, isForced: isForced)
        }
        let place = RealPath.of(path)
        removePartials(of: place)
        var suffix = ".replaced-\(now / 1000)"
        var number = 1
        while FileStatus(path: place + suffix, followsLinks: false) != nil {
            number += 1
            suffix = ".replaced-\(now / 1000)-\(number)"
        }
        let summary = try writing(place) { (partial: String) throws(LedgerError) in
            try copy(file, to: partial)
            let faults = try SQLiteLedger.damage(of: partial)
            guard faults.isEmpty || isForced else {
                throw .refused("the copy \(file) is damaged (\(words(faults))); use another one, or this one with --force")
            }
            let mark = isReplaced ? try? mark(of: place) : nil
            var summary = try commits(
                of: partial, marking: Restoration(at: now, file: file, replaced: isReplaced ? place : nil, note: note))
            if !isReplaced { summary.carried = CarriedMailings(losses: .gone) }
            try complete(&summary.carried, by: partial, elsewhere, LedgerNotes(ledger: path))
            if !isForced, let losses = summary.carried?.losses { throw .refused(losses.refusal(of: path)) }
            if !isForced, let question = summary.carried?.question(of: path), !agree(question) {
                throw .refused("\(question). Nothing was changed")
            }
            guard isReplaced else { return summary }
            guard (try? Self.mark(of: place)) == mark else {
                throw .refused(
                    "somebody has written to the ledger \(path) meanwhile, and nothing was changed: end whoever uses it, and try again")
            }
            try keep(place, as: place + suffix)
            // The newest content of a ledger that is damaged may be in its log.
            if FileStatus(path: place + "-wal").map({ $0.size > 0 }) == true { try move(place + "-wal", to: place + suffix + "-wal") }
            return summary
        }
        return (summary, isReplaced ? place + suffix : nil)
    }

    private static func words(_ faults: [LedgerInspection.Fault]) -> String {
        let first = faults.prefix(3).map { ($0.mailing.map { "mailing \($0), " } ?? "") + $0.text }.joined(separator: "; ")
        return faults.count > 3 ? "\(first); and more" : first
    }

    /// Makes sure that a file is a whole ledger of this release.
    /// - Returns: its commits.
    private static func check(_ file: String) throws(LedgerError) -> Int64 {
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

    /// How a copy takes the place of a ledger.
    private struct Restoration {
        /// Milliseconds since 1970.
        var at: Int64
        /// The copy.
        var file: String
        /// The ledger of before.
        var replaced: String?
        var note: AuditNote?
    }

    /// What a ledger has that a copy may lack.
    private struct Content {
        /// Mailings that are not over.
        var open: Int
        var commits: Int64
    }

    private static func mark(of path: String) throws -> FileMark {
        let file = try open(path, isReadonly: true)
        defer { try? file.close() }
        return try file.read { try FileMark($0) }
    }

    /// Makes sure that a ledger was not moved to a server, which has sent since. One that cannot be read does not tell.
    private static func requireHere(_ path: String) throws(LedgerError) {
        do throws(LedgerError) { try SQLiteLedger.requireHere(path) } catch {
            guard case .refused(let why) = error else { return }
            throw .refused("\(why). With --force a copy takes its place nevertheless, and knows nothing of what was sent from there")
        }
    }

    /// Makes sure that nobody has a ledger open, and that what it has and the copy has not is not needed.
    private static func requireReplaceable(_ path: String, by copied: Int64, isForced: Bool) throws(LedgerError) {
        let content: Content? = try? LedgerError.mapping(path: path, operation: "looking at the ledger") {
            let ledger = try open(path, isReadonly: true)
            defer { try? ledger.close() }
            return try ledger.read { db in
                Content(
                    open: try Int.fetchOne(db, sql: "SELECT count(*) FROM mailing WHERE state NOT IN ('sent', 'stopped', 'failed')") ?? 0,
                    commits: try Int64.fetchOne(db, sql: "SELECT commits FROM ledger") ?? 0)
            }
        }
        try LedgerError.mapping(path: path, operation: "looking who has the ledger open") {
            do {
                // In the mode of a single user SQLite takes a lock that it gets only while nobody else has the file open.
                let ledger = try open(path)
                defer { try? ledger.close() }
                try ledger.inDatabase { db in
                    try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                    try db.execute(sql: "BEGIN IMMEDIATE; COMMIT")
                    try db.checkpoint(.truncate)
                }
            } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT {
                // One that is damaged is what copies are for.
            }
        }
        guard let content, content.open > 0, content.commits > copied, !isForced else { return }
        throw .refused(
            """
            the ledger \(path) is newer than the copy and has \(Plural.text(content.open, "mailing")) not ended: with --force the copy \
            takes its place nevertheless, and the ledger is kept beside it
            """)
    }

    /// Writes a file beside its place, and moves it there once it is whole and on the disk.
    private static func writing(_ file: String, _ body: (_ partial: String) throws(LedgerError) -> Summary) throws(LedgerError) -> Summary {
        let partial = "\(file).partial-\(getpid())"
        let descriptor = Foundation.open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: partial, detail: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        do throws(LedgerError) {
            let summary = try body(partial)
            fsync(descriptor)
            // What a reader left of the file before would be taken for news of this one.
            for end in ["-wal", "-shm", "-journal"] { unlink(file + end) }
            try move(partial, to: file)
            return summary
        } catch {
            for end in ["", "-wal", "-shm", "-journal"] { unlink(partial + end) }
            throw error
        }
    }

    /// Removes what restores that were killed had begun to write. Whoever has the ledger's lock is the only one.
    private static func removePartials(of file: String) {
        let url = URL(fileURLWithPath: file)
        let folder = url.deletingLastPathComponent().path
        let prefix = url.lastPathComponent + ".partial-"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count).prefix(while: \.isNumber)
            if let process = pid_t(digits), kill(process, 0) != 0, errno == ESRCH { unlink("\(folder)/\(name)") }
        }
    }

    /// Gives a ledger another name. It keeps its own until the copy takes that, so that there is a ledger at each moment, whatever ends the
    /// process; where the file system has no second names, it is moved.
    private static func keep(_ path: String, as kept: String) throws(LedgerError) {
        if link(path, kept) != 0 { try move(path, to: kept) }
    }

    private static func move(_ from: String, to: String) throws(LedgerError) {
        guard rename(from, to) == 0 else { throw .unwritable(path: to, detail: String(cString: strerror(errno))) }
    }

    private static func copy(_ file: String, to partial: String) throws(LedgerError) {
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

    /// Reads how far a copy has come, after the changes of this release were made to it.
    /// - Parameter restoration: nil for a copy that takes no ledger's place.
    private static func commits(of file: String, marking restoration: Restoration?) throws(LedgerError) -> Summary {
        try LedgerError.mapping(path: file, operation: "reading the copy") {
            let copy = try open(file)
            defer { try? copy.close() }
            if restoration != nil { try Schema.migrator.migrate(copy) }
            var (carried, doubtful): (CarriedMailings?, [String]) = (nil, [])
            let commits = try copy.inDatabase { db in
                if let restoration {
                    try db.execute(sql: "UPDATE ledger SET restored = ?", arguments: [restoration.at])
                    // The list may go on from an older number: what a plan knew of it is not counted on.
                    try db.execute(sql: "UPDATE mailing SET restored = 1, suppression_revision = 0")
                    carried = restoration.replaced.map { carryMailings(from: $0, into: db, now: restoration.at) }
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
            return Summary(size: Int(FileStatus(path: file)?.size ?? 0), commits: commits, carried: carried, doubtful: doubtful)
        }
    }

    /// The identity of the ledger that a copy was made of; nil for a file that is none.
    package static func identity(of file: String) -> String? {
        let copy = try? open(file, isReadonly: true)
        defer { try? copy?.close() }
        return try? copy?.read { try String.fetchOne($0, sql: "SELECT identity FROM ledger") }
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
