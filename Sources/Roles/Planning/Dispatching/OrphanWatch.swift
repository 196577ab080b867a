import Model

/// Finds dispatches whose results will never come: they are in no lane any more, so that their workers have closed them, and yet everything
/// that was reported since is collected. Their closing results, or their entries, could not be read or were removed by somebody.
struct OrphanWatch: Sendable {
    /// Milliseconds of Redis time for which a dispatch must have been in no lane.
    static let absence: UInt64 = 10_000

    /// When each dispatch was first seen in no lane, in milliseconds of Redis time.
    private var suspects: [Dispatch: UInt64] = [:]

    /// Notes which dispatches the ledger waits for.
    /// - Parameters:
    ///   - open: dispatches that the ledger waits for.
    ///   - inside: those that a lane holds.
    ///   - oldest: when the oldest entry of each status stream was added, in milliseconds of Redis time; nil where there is none.
    ///   - now: the time of Redis before that was read.
    /// - Returns: dispatches to be given up, in any order.
    mutating func look(open: Set<Dispatch>, inside: Set<Dispatch>, oldest: [UInt64?], now: UInt64) -> Set<Dispatch> {
        let gone = open.subtracting(inside)
        suspects = suspects.filter { gone.contains($0.key) }
        for dispatch in gone where suspects[dispatch] == nil { suspects[dispatch] = now }
        let orphans = suspects.filter { _, since in
            // What was reported before is in the ledger: the closing results would be among it.
            now >= since + Self.absence && oldest.allSatisfy { $0.map { $0 > since } ?? true }
        }
        for dispatch in orphans.keys { suspects[dispatch] = nil }
        return Set(orphans.keys)
    }
}
