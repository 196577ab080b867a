/// What a collector does next. A pure value: the collector does what `next` says, and tells what came of it.
///
/// - Entries are written only after the ledger's name was found in Redis since they were read: results of another ledger stay in Redis.
/// - Entries are confirmed only after they were written, which the collector sees to.
/// - A lone result is written at once. Where results arrive fast, a few of them wait for more: a transaction costs as much as a hundred
///   of them.
struct CollectorState: Equatable {
    typealias Instant = ContinuousClock.Instant

    enum Step: Equatable {
        /// Look which ledger's mailings this Redis holds.
        case checkOwner
        /// Wait until that may have changed.
        case waitForOwner(Owner)
        /// Read what this collector was given before and did not confirm.
        case readUnconfirmed
        /// Take over what another collector was given long ago.
        case claimAbandoned
        /// Wait for entries, for so long at most.
        case read(atMost: Duration)
        /// Read what has come after a short wait, to be written with what was read before.
        case readMore(after: Duration)
        /// Read what is there: the last before the end.
        case readRest
        /// Write what was read, and confirm it.
        case write
        case end
    }

    /// Whose mailings a Redis holds.
    enum Owner: Equatable { case ours, nobody, another }

    /// How long a few results wait for more.
    private static let linger = Duration.milliseconds(25)
    /// Entries that make that worth while.
    private static let fewest = 2.0
    /// How often entries are looked for that a collector read and did not confirm.
    static let abandonedInterval = Duration.seconds(5)

    /// Entries in a transaction, about.
    private let limit: Int
    private var owner: Owner?
    /// The run of the server: at its next start it may bring back what was confirmed.
    private var run = ""
    /// After a failure entries may have been given to this collector whose reply was lost, or that it did not confirm.
    private var hasUnconfirmed = true
    private var nextAbandonedCheck: Instant
    /// Entries that were read and not yet written.
    private(set) var inHand = 0
    /// What was read may wait for more.
    private var mayLinger = false
    private var arrivals = ArrivalRate()
    /// Nothing was left at the last read before the end.
    private var isEmptied = false

    init(limit: Int, at now: Instant) {
        self.limit = limit
        nextAbandonedCheck = now
    }

    /// What is to be done now.
    /// - Parameter isStopping: no further results are waited for.
    mutating func next(at now: Instant, isStopping: Bool) -> Step {
        if inHand > 0 {
            if mayLinger, !isStopping, inHand < limit / 4, arrivals.expected(within: Self.linger) >= Self.fewest {
                mayLinger = false
                return .readMore(after: Self.linger)
            }
            return owner == .ours ? .write : .checkOwner
        }
        guard let owner else { return .checkOwner }
        guard owner == .ours else { return isStopping ? .end : .waitForOwner(owner) }
        if hasUnconfirmed { return .readUnconfirmed }
        if isStopping { return isEmptied ? .end : .readRest }
        if now >= nextAbandonedCheck { return .claimAbandoned }
        return .read(atMost: nextAbandonedCheck - now)
    }

    /// Notes which run of the server is read from.
    /// - Returns: whether it is another one than before: then another step is due.
    mutating func note(run now: String) -> Bool {
        guard now != run else { return false }
        run = now
        hasUnconfirmed = true
        return true
    }

    /// Notes whose mailings Redis holds.
    /// - Returns: false when what was read is not to be written: it stays in Redis, unconfirmed.
    mutating func note(owner now: Owner) -> Bool {
        owner = now
        guard now != .ours, inHand > 0 else { return true }
        inHand = 0
        hasUnconfirmed = true
        return false
    }

    /// It was waited for another owner.
    mutating func noteWait() { owner = nil }

    /// Notes how many entries a step brought.
    mutating func note(_ count: Int, of step: Step, at now: Instant) {
        inHand += count
        switch step {
        case .readUnconfirmed: hasUnconfirmed = count > 0
        case .claimAbandoned: if count == 0 { nextAbandonedCheck = now + Self.abandonedInterval }
        case .read:
            arrivals.note(count, at: now)
            mayLinger = true
            // While it waited, Redis may have become another's.
            owner = nil
        case .readMore: arrivals.note(count, at: now)
        case .readRest: isEmptied = count == 0
        case .checkOwner, .waitForOwner, .write, .end: break
        }
    }

    /// What was read is in the ledger, and confirmed.
    mutating func noteWritten() { inHand = 0 }

    /// Redis could not be asked, or its reply was lost: what was read is read again.
    mutating func noteFailure() {
        inHand = 0
        owner = nil
        hasUnconfirmed = true
        isEmptied = false
    }
}
