import Broker
import Model

/// The results that were reported and not confirmed by a collector. A loss of Redis may have taken them; then all are offered again.
struct UnconfirmedResults: Sendable {
    private(set) var receipts: [Receipt] = []
    /// The dispatches of the receipts, in their order, where this worker alone has had the batch; nil for others.
    private var dispatches: [Dispatch?] = []
    /// How many of them were offered again since the last loss.
    private var offered = 0

    var count: Int { receipts.count }

    /// - Parameter dispatch: nil when other workers have had the batch, or may have.
    mutating func add(_ receipt: Receipt, of dispatch: Dispatch? = nil) {
        receipts.append(receipt)
        dispatches.append(dispatch)
    }

    /// The dispatches that this worker alone has had, and of whose results some are not confirmed.
    var own: Set<Dispatch> { Set(dispatches.compactMap { $0 }) }

    /// The worker's lease had expired: others may have its batches.
    mutating func disown() { dispatches = Array(repeating: nil, count: receipts.count) }

    /// Forgets what collectors have confirmed: a receipt that was there before they were asked and is older than all that waits in its
    /// partition.
    /// - Parameters:
    ///   - oldest: the oldest entry of each partition; nil where there is none.
    ///   - known: how many receipts there were before that was asked.
    mutating func confirm(oldest: [StreamID?], known: Int) {
        let waiting = (0..<known).filter { place in
            let receipt = receipts[place]
            return oldest.indices.contains(receipt.partition) && (oldest[receipt.partition].map { $0 <= receipt.id } ?? false)
        }
        dispatches.replaceSubrange(..<known, with: waiting.map { dispatches[$0] })
        receipts.replaceSubrange(..<known, with: waiting.map { receipts[$0] })
    }

    /// A loss of Redis: all have to be offered again.
    mutating func restart() { offered = 0 }

    /// The next to offer, at most a hundred.
    var next: [Receipt] { Array(receipts[offered..<min(offered + 100, receipts.count)]) }

    /// The offered ones have new entries now.
    mutating func didOffer(_ receipts: [Receipt]) {
        self.receipts.replaceSubrange(offered..<offered + receipts.count, with: receipts)
        offered += receipts.count
    }
}
