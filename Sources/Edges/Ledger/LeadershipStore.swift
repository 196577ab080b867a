/// Who has a leadership, which one process has at a time.
package struct Leader: Sendable, Equatable {
    /// The leader's name, as it gave it.
    package var holder: String
    /// Its fencing token: higher than that of each leader before it.
    package var fencingToken: Int64
    /// Until when the leadership is its own, in milliseconds since 1970 by the clock of whoever asks.
    package var until: Int64
}

/// Leaderships: each is held by one process at a time, for a time that the process extends. A fencing token goes with it, by which the
/// writes of a process that has lost it are refused. Where several machines share the ledger, time is the database's, as their clocks
/// differ.
package protocol LeadershipStore: Sendable {
    /// Takes a leadership that is free: nobody ever had it, its leader gave it back, it has expired, or `holder` has it already (a
    /// process that starts again under its name).
    /// - Parameters:
    ///   - lease: how long from now.
    ///   - isHolderGone: the caller knows that the leader has ended, so that its time need not be waited for. Where that is wrong, or
    ///     another took the leadership meanwhile, the fencing token still keeps the two apart.
    /// - Returns: the new fencing token, one above the last; nil while another has the leadership.
    func acquireLeadership(
        _ name: String, holder: String, for lease: Duration, isHolderGone: Bool
    ) async throws(LedgerError) -> Int64?

    /// Extends a leadership by so long from now. One that has expired is extended too, if nobody has taken it.
    /// - Returns: false when another has taken it, or it was given back.
    func renewLeadership(_ name: String, fencingToken: Int64, for lease: Duration) async throws(LedgerError) -> Bool

    /// Gives a leadership back, so that another may take it at once. Nothing happens when another has it.
    func releaseLeadership(_ name: String, fencingToken: Int64) async throws(LedgerError)

    /// Who has a leadership, or had it last if it has expired; nil for nobody.
    func leader(_ name: String) async throws(LedgerError) -> Leader?

    /// The ledger's own name, drawn when it was made: by it a Redis tells whose batches it holds.
    func identity() async throws(LedgerError) -> String

    /// From now on, writes of the plan and of dispatches (`writePlan`, `dispatchBatches`, `takeBack`, `giveUp`) through this value are
    /// refused with `LedgerError.leadershipLost` unless `Leadership.planning` is held with this fencing token; nil lets all pass.
    func guardPlanning(fencingToken: Int64?)
}

/// What is led, as the ledger names it.
package enum Leadership {
    /// Planning mailings and dispatching their batches.
    package static let planning = "planning"
    /// Telling other systems by webhooks.
    package static let webhooks = "webhooks"
}
