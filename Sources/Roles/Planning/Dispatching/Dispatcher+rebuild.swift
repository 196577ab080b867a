import Broker
import Ledger
import Logging
import Metrics
import Model
import Policy

extension Dispatcher {
    /// Gives up what a lost Redis had, as soon as all is known that can be, and begins a new epoch.
    /// - Returns: the new epoch; nil while something is waited for.
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
                // They are waited for like any others.
                return nil
            }
        }
        if !open.isEmpty {
            if let wait = loss.wait {
                say(.warning, "Redis was emptied or restarted with \(open.count) batches in flight; waiting for \(wait.text)")
                return nil
            }
            try await giveUp(open, missing: loss.missing)
        }
        guard let begun = try await epochs.begin() else { return nil }
        if isOld { try await old.remove() }
        return begun
    }

    private func giveUp(_ open: [Dispatch], missing: [String]?) async throws {
        let why: String? =
            switch missing {
            case nil: "Redis lost its batch, and the workers that had it are unknown"
            case let missing? where missing.isEmpty: nil
            case let missing?: "Redis lost its batch, and \(missing.joined(separator: ", ")) did not come back"
            }
        let listed = try await ledger.giveUp(open, why: why, now: Clock.milliseconds()).listed
        rebuilds.increment()
        logger.warning(
            """
            Redis lost \(open.count) batches; they are dispatched again, less what is known of them. \
            \(why.map { "\(listed) recipients are uncertain: \($0)" }
                ?? "No recipient is uncertain: every worker reported what it had sent")
            """)
    }
}

extension EpochState.Loss.Wait {
    /// For people.
    fileprivate var text: String {
        switch self {
        case .busy(let count): "\(count) workers to finish their messages in flight"
        case .away(let count): count.map { "\($0) workers to come back" } ?? "workers to come back"
        case .results(let count): "collectors to take \(count) groups of results"
        }
    }
}
