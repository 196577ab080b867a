import Broker
import Ledger
import Logging
import Metrics
import Model
import Policy
import Text

extension Dispatcher {
    /// Gives up the dispatches of a lost Redis, as soon as all that can be known is known, and begins a new epoch.
    /// - Returns: the new epoch; nil while it still waits.
    func rebuild(_ loss: EpochState.Loss) async throws -> Epoch? {
        let old = Release01(broker)
        let isOld = try await old.isPresent()
        let ids = try await ledger.work().map(\.id)
        let open = try await ledger.openDispatches(of: ids).flatMap { id, marks in
            marks.map { Dispatch(batch: BatchID(mailing: id, number: $0.number), dispatchNumber: $0.dispatchNumber) }
        }
        if isOld {
            say(.notice, "this Redis holds the formats of release 0.1: it is treated like a lost one, less the results in it")
            let adopted = try await old.adoptResults()
            if adopted > 0 {
                logger.notice("\(adopted) groups of results of release 0.1 were taken over")
                // Nothing is known of them: they are waited for like any others.
                return nil
            }
        }
        if case .older(let commits, let isRestored) = copy {
            if let wait = loss.wait {
                say(.warning, "the ledger is an older copy of the one that was in use; waiting for \(wait.text)")
                return nil
            }
            try await acceptCopy(commits: commits, isRestored: isRestored)
        } else if !open.isEmpty {
            if let wait = loss.wait {
                say(
                    .warning,
                    """
                    the contents of Redis cannot be trusted, with \(Plural.text(open.count, "batch", "batches")) in flight; \
                    waiting for \(wait.text)
                    """)
                return nil
            }
            try await giveUp(open, missing: loss.missing)
        }
        guard let begun = try await epochs.begin() else { return nil }
        _ = try await epochs.note(commits: ledger.commits())
        if isOld { try await old.remove() }
        return begun
    }

    /// Ends the dispatches that Redis lost. Recipients are uncertain whose messages may have been started by a worker that cannot report.
    private func giveUp(_ open: [Dispatch], missing: [String]?) async throws {
        rebuilds.increment()
        let now = clocks.milliseconds
        let why: String
        switch missing {
        case .some([]):
            _ = try await ledger.takeBack(open, now: now)
            return logger.warning(
                """
                Redis lost \(Plural.text(open.count, "batch", "batches")), dispatched again less what is known of them. No recipient is \
                uncertain: every worker reported what it had sent
                """)
        case let names?: why = "\(names.joined(separator: ", ")) did not come back"
        case nil: why = "the workers that had it are unknown"
        }
        let started = try await epochs.started(open)
        var claimed: Set<Dispatch> = []
        if started == nil { claimed = try await epochs.claims() }
        let doubtful = open.filter { !claimed.contains($0) }
        _ = try await ledger.takeBack(open.filter(claimed.contains), now: now)
        let listed = try await ledger.giveUp(
            doubtful, why: started == nil ? "Redis lost its batch, and \(why)" : "in flight, and \(why)", started: started, now: now
        ).listed
        logger.warning(
            """
            Redis lost \(Plural.text(open.count, "batch", "batches")), dispatched again less what is known of them. \
            \(Plural.text(listed, "recipient")) of \(Plural.text(doubtful.count, "batch", "batches")) uncertain: \(why)
            """)
    }
}

extension EpochState.Loss.Wait {
    /// For people.
    fileprivate var text: String {
        switch self {
        case .busy(let count): "\(Plural.text(count, "worker")) to finish the messages in flight"
        case .lost(let count): count.map { "\(Plural.text($0, "worker")) to come back" } ?? "workers to come back"
        case .results(let count): "collectors to take \(Plural.text(count, "group")) of results"
        }
    }
}
