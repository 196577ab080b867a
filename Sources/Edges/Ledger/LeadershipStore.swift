/// Who holds a leadership that one process has at a time.
package struct Leader: Sendable, Equatable {
    /// The holder's name, as it gave it.
    package var holder: String
    /// Its fencing number: higher than that of all holders before.
    package var fencingToken: Int64
    /// Until when it has promised to be there, in milliseconds since 1970.
    package var until: Int64
}

/// Duties that one process has at a time, for a while that it renews: a row each, with a fencing number by which the writes of
/// a holder that lost it are refused. Times are milliseconds since 1970.
package protocol LeadershipStore: Sendable {
    /// Takes a leadership that is free: nobody ever had it, or gave it back, or its holder's time is over, or `holder` has it already
    /// (a process that starts again under its name).
    /// - Parameter isHolderGone: the caller knows that the holder has ended, so that its time need not be waited for. Where
    ///   that is wrong, or another took the leadership meanwhile, the fencingToken still keeps the two apart.
    /// - Returns: the new fencingToken, one above the last; nil while another holds the leadership.
    func acquireLeadership(
        _ name: String, holder: String, until: Int64, now: Int64, isHolderGone: Bool
    ) async throws(LedgerError) -> Int64?

    /// Extends a leadership. One whose time is over is extended too, if nobody has taken it.
    /// - Returns: false when another has taken it, or it was given back.
    func renewLeadership(_ name: String, fencingToken: Int64, until: Int64) async throws(LedgerError) -> Bool

    /// Gives a leadership back, so that another may take it at once; nothing happens when another has it.
    func releaseLeadership(_ name: String, fencingToken: Int64) async throws(LedgerError)

    /// Who has a leadership, be its time over or not; nil for nobody.
    func leader(_ name: String) async throws(LedgerError) -> Leader?

    /// The ledger's own name, drawn when it was made: by it a Redis tells whose batches it holds.
    func identity() async throws(LedgerError) -> String

    /// From now on, the writes of the plan and of the dispatch (`noteSource`, `appendPlan`, `finishPlan`, `failPlan`,
    /// `dispatchBatches`, `giveUp`) through this value are refused with `LedgerError.leadershipLost` unless `Leadership.planning` is held
    /// with this fencingToken; nil lets all pass.
    func guardPlanning(fencingToken: Int64?)
}

/// The names of duties.
package enum Leadership {
    /// Planning mailings and dispatch their batches.
    package static let planning = "planning"
}
