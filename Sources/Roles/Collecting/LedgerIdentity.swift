import Broker
import Ledger
import Logging
import Model
import Synchronization

/// The ledger's name, read once, and when it was last said that Redis holds another's mailings.
final class LedgerIdentity: Sendable {
    private let known = Mutex<String?>(nil)
    private let isChecked = Mutex(false)
    private let said = Mutex<ContinuousClock.Instant?>(nil)
    private let clocks: Clocks
    private let logger: Logger

    init(clocks: Clocks, logger: Logger) { (self.clocks, self.logger) = (clocks, logger) }

    /// The ledger's name; nil before it was read.
    var name: String? { known.withLock { $0 } }

    /// Whose mailings a Redis holds; `nobody` too while the ledger cannot be read.
    func owner(of epochs: EpochStore, ledger: any LeadershipStore) async throws(RedisError) -> CollectorState.Owner {
        guard let held = try await epochs.ledger() else { return .nobody }
        let ours: String
        do throws(LedgerError) {
            ours = try await name(of: ledger)
        } catch {
            logger.error("the ledger cannot be read: \(error)")
            return .nobody
        }
        if held == ours { return .ours }
        if isTimeToSay() {
            logger.error(
                """
                this Redis holds the mailings of another ledger: is ledger.path or ledger.url of this collector right? Else give \
                each its own redis.prefix. Nothing is collected meanwhile.
                """)
        }
        return .another
    }

    /// Tells Redis that the ledger has made a commit. Where Redis knows of a later one, it is looked again for an older copy, which may
    /// have been written into the file that is open.
    func note(commits: Int64, _ epochs: EpochStore, _ ledger: any CopyStore) async throws(RedisError) {
        guard let name, try await epochs.note(commits: commits, of: name) > commits else { return }
        isChecked.withLock { $0 = false }
        try await noteOlderCopy(epochs, ledger)
    }

    /// Marks the ledger as an older copy where Redis knows of a later commit, before anything is written to it; once.
    func noteOlderCopy(_ epochs: EpochStore, _ ledger: any CopyStore) async throws(RedisError) {
        guard let name, !isChecked.withLock({ $0 }) else { return }
        let known = try await epochs.commits(of: name)
        do throws(LedgerError) {
            if let known, known > (try await ledger.commits()) { try await ledger.noteOlder(than: known) }
            isChecked.withLock { $0 = true }
        } catch {
            // It is tried again before the next entries are written.
            logger.error("the ledger cannot be read: \(error)")
        }
    }

    /// The ledger's name, read where it was not yet.
    func name(of ledger: any LeadershipStore) async throws(LedgerError) -> String {
        if let name = known.withLock({ $0 }) { return name }
        let name = try await ledger.identity()
        known.withLock { $0 = name }
        return name
    }

    /// By what workers know whose suppressions they are told of; waits until the ledger can be read.
    /// - Parameter entries: what waits in Redis meanwhile.
    /// - Returns: nil when the process was cut short.
    func awaitName(of ledger: any LeadershipStore, entries: String) async -> String? {
        var backoff = Backoff()
        while true {
            do throws(LedgerError) { return try await name(of: ledger) } catch {
                logger.error("the ledger cannot be read; \(entries) wait in Redis: \(error)")
            }
            guard await backoff.wait() else { return nil }
        }
    }

    private func isTimeToSay() -> Bool {
        said.withLock { last in
            if let last, clocks.now - last < .seconds(30) { return false }
            last = clocks.now
            return true
        }
    }
}
