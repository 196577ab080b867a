import Foundation
import GRDB
import Model
import Text

/// Putting a copy in the place of a ledger.
extension LedgerBackup {
    /// Puts a copy in the place of a ledger, and marks it as restored: its planner holds recipients who may have been sent to since. The
    /// replaced ledger is kept beside it, and what it knew is merged into the copy.
    /// - Parameters:
    ///   - isForced: a newer ledger with mailings that have not ended is replaced too, and one whose mailings cannot be taken over.
    ///   - elsewhere: what is known of the replaced ledger beside its file and its note.
    ///   - note: the order, for the audit log of the restored ledger.
    ///   - now: milliseconds since 1970.
    ///   - agree: gets a text about what is lost, and tells whether the copy replaces the ledger nevertheless. It is not called where
    ///     nothing is lost, or with `isForced`.
    /// - Returns: what was restored, and where the replaced ledger is; nil where there was none.
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
        if !isForced { try requireHere(file) }
        let lock = try LedgerLock.acquire(ledger: path)
        defer { lock.release() }
        let isReplaced = FileStatus(path: path) != nil
        if isReplaced {
            if !isForced { try requireHere(path) }
            try requireReplaceable(path, by: copied, isForced: isForced)
        }
        let place = RealPath.of(path)
        removePartials(of: place)
        let kept = Self.kept(place, now: now)
        let summary = try writing(place) { (partial: String) throws(LedgerError) in
            try copy(file, to: partial)
            let faults = try SQLiteLedger.damage(of: partial)
            guard faults.isEmpty || isForced else {
                throw .refused("the copy \(file) is damaged (\(words(faults))); use another one, or this one with --force")
            }
            let mark = isReplaced ? try? mark(of: place) : nil
            var summary = try commits(
                of: partial, marking: Restoration(at: now, file: file, replaced: isReplaced ? place : nil, note: note))
            if !isReplaced { summary.merged = RestoreMerge(losses: .gone) }
            try complete(&summary.merged, by: partial, elsewhere, LedgerNotes(ledger: path))
            if !isForced, let losses = summary.merged?.losses { throw .refused(losses.refusal(of: path)) }
            if !isForced, let question = summary.merged?.question(of: path), !agree(question) {
                throw .refused("\(question). Nothing was changed")
            }
            guard isReplaced else { return summary }
            guard (try? Self.mark(of: place)) == mark else {
                throw .refused(
                    "somebody has written to the ledger \(path) meanwhile, and nothing was changed: end whoever uses it, and try again")
            }
            try keep(place, as: kept)
            // The newest content of a ledger that is damaged may be in its log.
            if FileStatus(path: place + "-wal").map({ $0.size > 0 }) == true { try move(place + "-wal", to: kept + "-wal") }
            return summary
        }
        return (summary, isReplaced ? kept : nil)
    }

    /// Where a replaced ledger is kept: a path that nothing has yet.
    private static func kept(_ place: String, now: Int64) -> String {
        let first = "\(place).replaced-\(now / 1000)"
        var (path, number) = (first, 1)
        while FileStatus(path: path, followsLinks: false) != nil {
            number += 1
            path = "\(first)-\(number)"
        }
        return path
    }

    /// How a copy takes the place of a ledger.
    struct Restoration {
        /// Milliseconds since 1970.
        var at: Int64
        /// The copy.
        var file: String
        /// The replaced ledger; nil where there was none.
        var replaced: String?
        var note: AuditNote?
    }

    /// What a restore would replace.
    private struct Content {
        /// Mailings that have not ended.
        var open: Int
        var commits: Int64
    }

    private static func mark(of path: String) throws -> FileMark {
        let file = try open(path, isReadonly: true)
        defer { try? file.close() }
        return try file.read { try FileMark($0) }
    }

    /// Makes sure that the ledger was not moved to a server, which has sent since. A ledger that cannot be read is not asked.
    private static func requireHere(_ path: String) throws(LedgerError) {
        do throws(LedgerError) { try SQLiteLedger.requireHere(path) } catch {
            guard case .refused(let why) = error else { return }
            throw .refused("\(why). With --force a copy takes its place nevertheless, and knows nothing of what was sent from there")
        }
    }

    /// Makes sure that nobody has the ledger open, and that no unfinished mailing is newer than the copy.
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
                // In exclusive mode SQLite takes a lock that it gets only while nobody else has the file open.
                let ledger = try open(path)
                defer { try? ledger.close() }
                try ledger.inDatabase { db in
                    try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                    try db.execute(sql: "BEGIN IMMEDIATE; COMMIT")
                    try db.checkpoint(.truncate)
                }
            } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT {
                // A damaged ledger is replaced without this lock.
            }
        }
        guard let content, content.open > 0, content.commits > copied, !isForced else { return }
        throw .refused(
            """
            the ledger \(path) is newer than the copy and has \(Plural.text(content.open, "mailing")) not ended: with --force the copy \
            takes its place nevertheless, and the ledger is kept beside it
            """)
    }

    /// Removes the partial files of restores that were killed. The caller holds the ledger's lock, so that no other restore runs.
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
}
