import Ledger
import Logging
import Model
import Policy
import Settings

extension RoleRuntime {
    /// Opens the ledger, and makes one where there is none.
    /// - Parameter files: in their folders another ledger may be meant.
    func openLedger(near files: [String] = []) throws(LedgerError) -> any OpenLedger {
        try OpenLedgers.openOrMake(settings.ledger.place, near: files, logger: logger) { NewLedger.say($0, logger) }
    }

    /// How long a collector waits for the ledger that the planner makes: roles may start in any order.
    private static let longestWait = Duration.seconds(30)

    /// The same for a long-running role: it waits while the disk is full, another program keeps the ledger locked, or its server cannot
    /// be reached.
    /// - Parameter makes: whether a ledger that is not there is made, unless another is expected.
    func waitForLedger(makes: Bool) async throws -> any OpenLedger {
        var backoff = Backoff()
        var line = RepeatedLine()
        let deadline = ContinuousClock.now + Self.longestWait
        while true {
            do throws(LedgerError) {
                guard makes else { return try OpenLedgers.open(settings.ledger.place, logger: logger) }
                try await NewLedger(settings).requireWanted()
                return try openLedger()
            } catch {
                switch error {
                case .full, .busy, .unreachable: break
                case .missing where ContinuousClock.now < deadline:
                    if backoff.count == 0 { logger.notice("waiting for the ledger \(settings.ledger.name), which a planner makes") }
                    guard await backoff.wait() else { throw CancellationError() }
                    continue
                default: throw error
                }
                if line.add(at: Clock.monotonic()) != nil { logger.error("waiting for the ledger: \(error)") }
            }
            guard await backoff.wait() else { throw CancellationError() }
        }
    }
}
