import Foundation
import GRDB
import Model
import Synchronization
import Text

/// Notices that another program has written into the database's file below SQLite, as `cp COPY LEDGER` does while roles run. The
/// write-ahead log hides that: what SQLite reads is the log over the file, a mixture of two ledgers.
///
/// SQLite writes into the file at checkpoints alone, which never take a commit back and never write what the log has not. So a file that
/// has fewer commits than before, or is ahead of what is read through the log, is not ours any more.
final class OverwriteWatch: Sendable {
    /// What the file says without its log.
    private struct View: Equatable {
        var identity: String
        var commits: Int64
        /// It grows with each change of the tables, and where VACUUM writes a copy.
        var schema: Int
    }

    private struct State {
        /// When the file was last changed, in nanoseconds; nothing but a change is a reason to look.
        var changed: Int64 = 0
        var seen: View?
        var looked = ContinuousClock.now
        /// It was written over: that stays so.
        var isForeign = false
    }

    /// Milliseconds by which the kernel's clock for files goes at most.
    private static let tick: Int64 = 20

    private let path: String
    private let pause: Duration
    private let state: Mutex<State>

    /// - Parameter pause: between two looks, at least.
    init(path: String, pause: Duration) {
        self.path = path
        self.pause = pause
        state = Mutex(State(changed: FileStatus(path: path)?.changed ?? 0, seen: Self.view(path, isAlone: true)))
    }

    /// Whether the file was written over since the last look.
    func isOverwritten(_ status: FileStatus) -> Bool {
        state.withLock { state in
            if state.isForeign { return true }
            guard status.changed != state.changed, ContinuousClock.now - state.looked >= pause else { return false }
            state.looked = .now
            guard let now = Self.view(path, isAlone: true) else { return false }
            if Self.isForeign(now, after: state.seen, live: Self.view(path, isAlone: false)) {
                // A checkpoint may have been under way while the file was read.
                usleep(50_000)
                guard let again = Self.view(path, isAlone: true) else { return false }
                state.isForeign = Self.isForeign(again, after: state.seen, live: Self.view(path, isAlone: false))
                return state.isForeign
            }
            // A later write in the same tick of the kernel's clock has the same time.
            let isSettled = Clock.milliseconds() - status.changed / 1_000_000 > Self.tick
            state.changed = isSettled ? status.changed : 0
            state.seen = now
            return false
        }
    }

    /// - Parameter live: what is read through the log, later than `file`; nil where that cannot be read.
    private static func isForeign(_ file: View, after seen: View?, live: View?) -> Bool {
        // The log alone was changed, by SQLite.
        if let seen, file == seen { return false }
        if let seen, file.identity != seen.identity || file.commits < seen.commits { return true }
        guard let live else { return false }
        return file.commits > live.commits || file.schema > live.schema
    }

    /// - Parameter isAlone: without the log. SQLite opens and closes the file: a descriptor of our own would take the locks of this process
    ///   with it when it is closed ("How To Corrupt An SQLite Database File", 2.2).
    /// - Returns: nil for what cannot be read now.
    private static func view(_ path: String, isAlone: Bool) -> View? {
        var configuration = Configuration()
        configuration.label = "ledger file"
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        guard let encoded = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed),
            let queue = try? DatabaseQueue(path: isAlone ? "file:\(encoded)?immutable=1" : path, configuration: configuration)
        else { return nil }
        defer { try? queue.close() }
        return try? queue.read { db in
            let schema = try Int.fetchOne(db, sql: "PRAGMA schema_version") ?? 0
            return try Row.fetchOne(db, sql: "SELECT identity, commits FROM ledger").map {
                try View(identity: $0.read(0), commits: $0.read(1), schema: schema)
            }
        }
    }
}
