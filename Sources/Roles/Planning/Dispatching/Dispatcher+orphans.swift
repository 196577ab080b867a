import Broker
import Ledger
import Logging
import Model
import Text

extension Dispatcher {
    /// How often dispatches are searched whose results will never come: less often with many mailings, as each is looked at.
    private static func orphanInterval(mailings: Int) -> Duration { .seconds(5) + .milliseconds(20) * min(mailings, 1_000) }

    /// The commands that list the uncertain recipients of mailings.
    static func hint(_ mailings: Set<MailingID>) -> String {
        Plural.list(mailings.sorted().map { "flotilla mailing uncertain \($0)" })
    }

    /// Gives up dispatches whose results will never come: their recipients are uncertain.
    func giveUpOrphans(_ ids: [MailingID]) async throws {
        guard nextOrphanCheck.map({ clocks.now >= $0 }) ?? true, !ids.isEmpty else { return }
        nextOrphanCheck = clocks.now + Self.orphanInterval(mailings: ids.count)
        let open = Set(
            try await ledger.openDispatches(of: ids).flatMap { id, marks in
                marks.map { Dispatch(batch: BatchID(mailing: id, number: $0.number), dispatchNumber: $0.dispatchNumber) }
            })
        let lanes = Array(Set(ids.flatMap { shown[$0]?.all ?? [] }))
        // Lanes that hold as many dispatches as the ledger waits for lack none: the search for each would cost more.
        let held = try await queue.entries(lanes)
        let now = UInt64(clamping: try await broker.time() / 1000)
        var (inside, oldest): (Set<Dispatch>, [UInt64?]) = (open, [])
        if open.count > held {
            inside = try await queue.inside(lanes)
            oldest = try await status.oldest().map { $0?.milliseconds }
        }
        let found = orphans.look(open: open, inside: inside, oldest: oldest, now: now)
        guard !found.isEmpty else { return }
        let why = "its results did not come, and could not be read perhaps (flotilla dead list)"
        let listed = try await ledger.giveUp(Array(found), why: why, now: clocks.milliseconds).listed
        logger.error(
            """
            \(Plural.text(found.count, "batch", "batches")) closed, or lost from a lane, without results that say so; \
            \(Plural.text(listed, "recipient")) uncertain (flotilla dead list, \(Self.hint(Set(found.map(\.batch.mailing)))))
            """)
    }
}
