/// Why the ledger did not do what it was asked to; the ledger itself is whole after each of them but `corrupt`.
package enum LedgerError: Error, Sendable, Equatable {
    /// No room is left: nothing of the transaction was written.
    case full(path: String, detail: String)
    /// There is no ledger at the path, where one was expected.
    case missing(path: String)
    /// The file is no SQLite database.
    case notADatabase(path: String)
    /// The file is a SQLite database of something else.
    case foreign(path: String)
    /// The file at the ledger's path is not the one that is open: it, or its log, was moved, removed or replaced.
    case replaced(path: String)
    /// The file is damaged.
    case corrupt(path: String, detail: String)
    /// The file or its folder cannot be opened for writing.
    case unwritable(path: String, detail: String)
    /// A later release has changed the ledger's tables; `found` names the changes that this one does not know.
    case newer(path: String, found: [String])
    /// Another process kept the ledger locked for too long.
    case busy(path: String)
    /// The database server cannot be reached, or cannot work at the moment: the same call may succeed later.
    case unreachable(path: String, detail: String)
    /// The database server refuses the user, the password or a right, or has no such database; the detail says what to do.
    case denied(path: String, detail: String)
    /// Another process has the leadership; `pid` is nil where its lock file does not tell.
    case held(path: String, pid: Int32?)
    /// Another process has taken over planning and dispatch: what this one writes of them is refused.
    case leadershipLost(path: String)
    /// What was asked does not fit what the ledger holds.
    case refused(String)
    /// A mailing's row holds what cannot be read. No other mailing is concerned.
    case unreadable(mailing: String, why: String)
    /// A mailing was added by a newer release, which alone knows how it is to be sent.
    case newerMailing(_ mailing: String, why: String)
    /// What was to be written cannot be, now or later: it is too large, or breaks a rule of the tables.
    case unfit(path: String, operation: String, detail: String)
    /// Reading or writing failed for a reason that is not named above.
    case failed(path: String, operation: String, detail: String)
}

extension LedgerError: CustomStringConvertible {
    private static func isURL(_ path: String) -> Bool { path.hasPrefix("postgres://") }

    package var description: String {
        switch self {
        case .full(let path, let detail):
            """
            no room is left for the ledger \(path) (\(detail)). What was written before is whole: make room, a few megabytes at least. \
            Roles that run go on by themselves; start any other command again, also one that could not begin
            """
        case .missing(let path) where Self.isURL(path):
            "no ledger in \(path): the database has no tables. flotilla ledger init makes them; or name another database in ledger.url"
        case .missing(let path):
            """
            no ledger at \(path); name another with --ledger (or ledger.path or ledger.url in flotilla.yaml), or make a new one: \
            flotilla ledger init --ledger \(path)
            """
        case .notADatabase(let path):
            "\(path) is no ledger (not a SQLite database); name another file with --ledger, or move this one to another folder"
        case .foreign(let path) where Self.isURL(path):
            """
            \(path) has tables of another program, and they were left alone; name a database of the ledger's own in ledger.url, or a \
            schema of its own (?options=-csearch_path%3Dflotilla)
            """
        case .foreign(let path):
            "\(path) is a database of another program; name another file with --ledger"
        case .replaced(let path):
            """
            the file that is open as the ledger \(path) (or its -wal or -shm) is not there any more: it was moved, removed or \
            replaced. Nothing is sent and nothing is written meanwhile. Put it back; or stop all roles and start them again, to work \
            with what is there then
            """
        case .corrupt(let path, let detail):
            """
            the ledger \(path) is damaged (\(detail)); keep a copy, then restore a backup or try `sqlite3 \(path) .recover`
            """
        case .unwritable(let path, let detail):
            "the ledger \(path) cannot be written (\(detail)); check that its folder exists and is writable"
        case .newer(let path, let found):
            """
            the ledger \(path) was written by a newer release (it has \(found.joined(separator: ", "))); use that release, \
            or another ledger
            """
        case .busy(let path):
            """
            the ledger \(path) stays locked by another process; end what holds it (an open transaction in a sqlite3 shell, \
            perhaps), then start again
            """
        case .unreachable(let path, let detail):
            """
            the ledger \(path) cannot be reached, or cannot work now (\(detail)); check that the server runs and the address is right. \
            Roles that run go on by themselves; start any other command again
            """
        case .denied(let path, let detail): "the ledger \(path) refuses us: \(detail)"
        case .held(let path, let pid):
            """
            the ledger \(path) is in use by \(pid.map { "process \($0)" } ?? "another process"): a `send` that ends by itself, or a \
            planner or `up`, which send what is added (flotilla mailing add). Another ledger would not know who had the message
            """
        case .leadershipLost(let path):
            """
            another process leads the planning on the ledger \(path) now, because this one did not renew its leadership in time \
            or gave it back; nothing was written: wait until the leadership is free, then take it again
            """
        case .refused(let what): what
        case .unreadable(let mailing, let why):
            """
            mailing \(mailing) cannot be read in the ledger (\(why)). Somebody changed it, or the file is damaged: restore a backup \
            (flotilla ledger restore), or add the mailing again from its file
            """
        case .newerMailing(let mailing, let why):
            "mailing \(mailing) is of a newer Flotilla and is left to it (\(why)): use that release, or upgrade this one"
        case .unfit(let path, let operation, let detail): "the ledger \(path) cannot take this \(operation): \(detail)"
        case .failed(let path, let operation, let detail): "\(operation) failed on the ledger \(path): \(detail)"
        }
    }
}
