import Broker

/// The results that were reported and that no collector is known to have in the ledger. A loss of Redis may have taken them, and they
/// are offered again from the first on.
struct UnconfirmedResults: Sendable {
    private(set) var receipts: [Receipt] = []
    /// How many of them were offered again since the last loss.
    private var offered = 0

    var count: Int { receipts.count }

    mutating func add(_ receipt: Receipt) { receipts.append(receipt) }

    /// Forgets what collectors have confirmed: a receipt that was there before they were asked and is older than all that waits in its
    /// partition.
    /// - Parameters:
    ///   - oldest: the oldest entry of each partition; nil where there is none.
    ///   - known: how many receipts there were before that was asked.
    mutating func confirm(oldest: [StreamID?], known: Int) {
        let waiting = receipts[..<known].filter { receipt in
            oldest.indices.contains(receipt.partition) && (oldest[receipt.partition].map { $0 <= receipt.id } ?? false)
        }
        receipts.replaceSubrange(..<known, with: waiting)
    }

    /// A loss of Redis: all are to be offered again.
    mutating func restart() { offered = 0 }

    /// The next to be offered, at most a hundred.
    var next: [Receipt] { Array(receipts[offered..<min(offered + 100, receipts.count)]) }

    /// They were offered, and have new entries now.
    mutating func didOffer(_ receipts: [Receipt]) {
        self.receipts.replaceSubrange(offered..<offered + receipts.count, with: receipts)
        offered += receipts.count
    }
}
