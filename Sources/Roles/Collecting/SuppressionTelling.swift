import Broker
import Ledger
import Logging
import Model
import Policy
import Synchronization

/// Tells workers again of suppressions that the ledger has, when a collector starts and each hour. Whoever commits one tells of it at once,
/// but may end in between, or find no Redis; without this, the messages for that person that Redis has already would be sent.
final class SuppressionTelling: Sendable {
    typealias Store = SuppressionStore & LeadershipStore

    private static let interval = Duration.seconds(3600)
    /// How far back it looks where Redis does not know up to where workers were told, in milliseconds. A Redis that has lost that has lost
    /// its batches too, and they are checked anew when they are dispatched.
    private static let lookBack: Int64 = 86_400_000

    private struct State {
        /// Nil for the first time.
        var next: ContinuousClock.Instant?
        var line = RepeatedLine()
    }

    private let suppressions: RecentSuppressions
    private let ledger: any Store
    private let clocks: Clocks
    private let logger: Logger
    private let state = Mutex(State())

    init(_ suppressions: RecentSuppressions, _ ledger: any Store, clocks: Clocks, logger: Logger) {
        (self.suppressions, self.ledger, self.clocks, self.logger) = (suppressions, ledger, clocks, logger)
    }

    /// Tells where it is time to. What fails is tried again by the next call.
    /// - Returns: whether workers know now of all that the ledger has.
    @discardableResult
    func run() async -> Bool {
        guard state.withLock({ $0.next ?? clocks.now }) <= clocks.now else { return false }
        do {
            try await tell(now: clocks.milliseconds)
            state.withLock { $0.next = clocks.now + Self.interval }
            return true
        } catch {
            if state.withLock({ $0.line.add(at: clocks.monotonic) }) != nil {
                logger.warning("workers are not told of the last suppressions yet: \(error)")
            }
            return false
        }
    }

    private func tell(now: Int64) async throws {
        let name = try await ledger.identity()
        // What is committed meanwhile has a higher revision, and is told of next time.
        let list = try await ledger.suppressionList()
        let told = try await suppressions.toldRevision(of: name)
        // A list that has come less far is an older copy's: its next revisions are new ones.
        let known = told.flatMap { $0 <= list.revision ? $0 : nil }
        if known == list.revision { return }
        let found = try await ledger.suppressions(
            since: known ?? -1, changedAt: known == nil ? now - Self.lookBack : 0, limit: RecentSuppressions.kept)
        try await suppressions.tell(found.filter { $0.expires.map { $0 > now } ?? true }, of: name)
        try await suppressions.note(toldRevision: list.revision, of: name)
    }
}
