import Foundation
import GRDB
import Model
import Synchronization
import Text

/// Notices that another program has written into the database's file below SQLite, as `cp COPY LEDGER` does while roles run. The
/// write-ahead log hides that: what SQLite reads is the log over the file, a mixture of two ledgers.
///
/// SQLite writes into the file at checkpoints alone, which never take a commit back and never write what the log has not. So a file that
/// has fewer commits than before, or is ahead of what is read through the log, is not ours any more. What sqlite3's `.restore` writes
/// comes through the log: the first transaction that meets it says so in the ledger, before a checkpoint brings it into the file.
final class OverwriteWatch: Sendable {
    private struct State {
        /// When the file was last changed, in nanoseconds; nothing but a change is a reason to look.
        var changed: Int64
        var seen: LedgerView?
        var looked = ContinuousClock.now
        var isLooking = false
        /// The file was overwritten. This never becomes false again.
        var isForeign = false
    }

    /// The longest tick of the kernel's clock for files, in milliseconds.
    private static let tick: Int64 = 20

    private let path: String
    private let pause: Duration
    private let state: Mutex<State>

    /// - Parameter pause: between two looks, at least.
    init(path: String, pause: Duration) {
        self.path = path
        self.pause = pause
        state = Mutex(State(changed: FileStatus(path: path)?.changed ?? 0, seen: LedgerView.ofFile(path)))
    }

    /// Whether the file was overwritten. A caller that asks while another one checks gets the former answer.
    func isOverwritten(_ status: FileStatus) -> Bool {
        let begun = state.withLock { state in
            guard !state.isForeign, !state.isLooking, status.changed != state.changed, ContinuousClock.now - state.looked >= pause else {
                return (mustLook: false, state: state)
            }
            state.isLooking = true
            state.looked = .now
            return (mustLook: true, state: state)
        }
        guard begun.mustLook else { return begun.state.isForeign }
        let found = look(after: begun.state.seen)
        // A later write in the same tick of the kernel's clock has the same time.
        let isSettled = Clock.milliseconds() - status.changed / 1_000_000 > Self.tick
        return state.withLock { state in
            state.isLooking = false
            if let view = found.view {
                state.isForeign = state.isForeign || found.isForeign
                state.seen = view
                state.changed = isSettled ? status.changed : 0
            }
            return state.isForeign
        }
    }

    /// - Returns: no view where the file cannot be read now.
    private func look(after seen: LedgerView?) -> (view: LedgerView?, isForeign: Bool) {
        let now = LedgerView.ofFile(path)
        guard let now, now.isForeign(after: seen, live: LedgerView.live(path)) else { return (now, false) }
        // A checkpoint may have been under way while the file was read.
        usleep(50_000)
        guard let again = LedgerView.ofFile(path) else { return (nil, false) }
        return (again, again.isForeign(after: seen, live: LedgerView.live(path)))
    }

    /// What a transaction finds when it reads through the log.
    enum Finding: Equatable {
        case ours
        /// An older copy came through the log, and nobody has noted that yet; the ledger had so many commits before.
        case older(than: Int64)
        /// The file was written over, and the log has nothing that hides it.
        case overwritten
    }

    /// Judges what a transaction reads before it writes.
    func judge(_ live: LedgerView) -> Finding {
        guard let seen = state.withLock({ $0.seen }), live.commits < seen.commits, (live.olderThan ?? 0) < seen.commits,
            let file = LedgerView.ofFile(path)
        else { return .ours }
        // What the transaction reads is in the log alone.
        if file.commits > live.commits { return .older(than: max(seen.commits, file.commits)) }
        state.withLock { $0.isForeign = true }
        return .overwritten
    }
}
