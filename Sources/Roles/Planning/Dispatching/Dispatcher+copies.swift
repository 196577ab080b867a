import Broker
import Ledger
import Logging
import Model
import Text

/// What the dispatcher finds out about its ledger when it begins to lead.
enum FoundCopy {
    /// Neither Redis nor the file beside the ledger knows of a later commit.
    case none
    /// The ledger is a copy that was made before a commit of which Redis knows, or that a person put here.
    case older(commits: Int64, isRestored: Bool)
    /// A person put it here, or another server has taken over, and nothing was written since that is not in it.
    case current(commits: Int64)

    /// - Parameters:
    ///   - known: the last commit of this ledger that Redis knows of; nil for none.
    ///   - beside: the commit that the file beside the ledger names; nil for none. It may be behind, where another Redis was used since or
    ///     a private one was lost: that it names nothing later proves nothing.
    ///   - mark: the ledger's own.
    ///   - later: its commits after Redis was asked; nil where they were not looked at again.
    init(known: Int64?, beside: Int64? = nil, mark: CopyMark, later: Int64? = nil) {
        let commits = max(mark.commits, later ?? 0)
        let known = [known, beside.flatMap { $0 > commits ? $0 : nil }].compactMap { $0 }.max()
        let isRestored = mark.restored != nil
        if let olderThan = mark.olderThan {
            self = .older(commits: max(olderThan, known ?? 0), isRestored: isRestored)
        } else if let known, known > commits {
            self = .older(commits: known, isRestored: isRestored)
        } else if !isRestored, !mark.isMoved {
            self = .none
        } else if let known {
            self = .current(commits: known)
        } else {
            self = .older(commits: commits, isRestored: isRestored)
        }
    }
}

/// A ledger may be moved, removed, or replaced by an older copy, while roles run and while none does. Nothing is sent by a ledger that is
/// not there, and an older copy sends nothing to people who may have been sent to since, unless their mailing wants that.
extension Dispatcher {
    /// The ledger is not where it was: workers start nothing more, and another planner may lead, by the file that is there now.
    func leaveLedger(_ error: any Error) async {
        guard case LedgerError.replaced? = error as? LedgerError else { return }
        do throws(RedisError) { try await epochs.leave() } catch {
            logger.warning("workers do not know yet that the ledger is gone: \(error)")
        }
        epoch = nil
        copy = nil
    }

    /// Notes the ledger's last commit in Redis, before the dispatches of that commit go there.
    /// - Throws: `RedisError.epochEnded` where an older copy has taken the ledger's place.
    func noteCommits() async throws {
        let own = try await ledger.commits()
        let known = try await epochs.note(commits: own)
        // Others commit meanwhile.
        guard known > own, known > (try await ledger.commits()) else { return }
        throw RedisError.epochEnded
    }

    var isOlderCopy: Bool { if case .older? = copy { true } else { false } }

    /// Whether the ledger is an older copy, of which it is not known yet who was sent to since it was made. A copy may be written into
    /// the file that is open (sqlite3's `.restore`), so that this is asked again and again.
    func findCopy() async throws -> Bool {
        if isOlderCopy { return true }
        if copy == nil { noted = try await ledger.note() }
        let mark = try await ledger.copyMark()
        try await putBack(mark)
        untouched = mark.isMoved ? own.untouched(try await ledger.unfinished(), since: mark.commits) : nil
        let known = try await epochs.commits()
        // Others commit, and tell Redis, between the two looks: only what the ledger does not have by now either is lacking.
        let later = known.map { $0 > mark.commits } == true ? try await ledger.commits() : mark.commits
        copy = FoundCopy(known: known, beside: noted?.commits, mark: mark, later: later)
        switch copy {
        case .older: return true
        case .current(let commits):
            _ = try await ledger.acceptCopy(nil, commits: commits, now: clocks.milliseconds)
            copy = FoundCopy.none
            return false
        case .some(.none), nil: return false
        }
    }

    /// Has collectors write again what the server that the ledger stood on before had from them last.
    private func putBack(_ mark: CopyMark) async throws(RedisError) {
        guard mark.isMoved, let standing = mark.standing else { return }
        let count = try await ReplayStreams(broker).putBack(ledger: fencingToken.ledger, standing: standing)
        guard count > 0 else { return }
        logger.notice(
            """
            another server has the ledger now: what was written last is written again, as it may lack that \
            (\(Plural.text(count, "entry", "entries")))
            """)
    }

    /// Notes in Redis what an ended private Redis had noted beside the ledger, unless Redis has a later note. From then on the file beside
    /// the ledger no longer covers all dispatches.
    func takeNote() async throws {
        guard let note = noted, let reached = note.reached else { return }
        if try await epochs.commits() ?? 0 <= note.commits { try await epochs.remember(reached: reached) }
        try await ledger.note(reached: nil)
        noted?.reached = nil
    }

    /// Lists the recipients that may have been sent to since an older copy was made, and accepts the copy as the ledger.
    func acceptCopy(commits: Int64, isRestored: Bool) async throws {
        let why = "the ledger is an older copy, and the message may have been sent since it was made"
        var doubt = CopyDoubt(reached: try await epochs.reached(ledger.unfinished()), holdsAll: isRestored, why: why)
        // After a fail-over. Whoever was sent to is listed once that is planned again.
        if let untouched { doubt.known = isRestored ? [] : untouched.union(doubt.reached.keys) }
        let (listed, paused) = try await ledger.acceptCopy(doubt, commits: commits, now: clocks.milliseconds)
        // They are sent to everybody if a person says so.
        try await epochs.forgetReached(paused)
        copy = FoundCopy.none
        let doubtful = listed > 0 ? try await Set(ledger.work().filter { $0.uncertain > 0 }.map(\.id)) : []
        let who =
            listed == 0
            ? "no recipient is in doubt"
            : """
            \(Plural.text(listed, "recipient")) may have been sent to since it was made, and \(listed == 1 ? "is" : "are") \
            listed as uncertain
            """
        logger.error(
            """
            the ledger is an older copy of the one that was in use: \(who)\(doubtful.isEmpty ? "" : " (\(Self.hint(doubtful)))")\
            \(paused.isEmpty ? "" : "; paused: \(Plural.text(paused.count, "mailing"))")
            """)
        if untouched != nil {
            logger.error(
                """
                orders of the last moments before the fail-over may be lost (flotilla audit shows the others), and so may suppressions by \
                hand: give them again
                """)
        } else if !isRestored {
            logger.error(
                "whoever was suppressed since the copy was made is not known to be: import them again (flotilla suppressions import)")
        }
        for id in paused { logger.error("mailing \(id) is paused: it may have been sent since", metadata: ["mailing": "\(id)"]) }
    }
}
