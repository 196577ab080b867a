import Broker
import Collecting
import Ledger
import Logging
import Settings

extension PrivateRedis {
    /// A private Redis where the settings name none.
    /// - Parameter files: those of the command, for what is said of a new ledger.
    static func unlessNamed(in settings: Settings, near files: [String] = []) async throws -> PrivateRedis? {
        guard settings.redis.endpoint == nil else { return nil }
        let logger = Logger(label: "flotilla")
        return try await PrivateRedis(
            ledger: settings.ledger.localPath(), identity: try await identity(of: settings.ledger.place, files, logger), logger: logger)
    }

    /// - Returns: nil for a ledger that cannot be opened now: the next attempt to open it reports why.
    /// - Throws: where no room is left on its disk: the server would find none either.
    private static func identity(of place: LedgerPlace, _ files: [String], _ logger: Logger) async throws(LedgerError) -> String? {
        let ledger: any OpenLedger
        do throws(LedgerError) {
            ledger = try OpenLedgers.openOrMakeBriefly(place, near: files, logger: logger) { NewLedger.say($0, logger) }
        } catch {
            if case .full = error { throw error }
            return nil
        }
        let identity = try? await ledger.identity()
        try? ledger.close()
        return identity
    }

    /// Ends the server after the roles: collects the last results, events and receipts, which nobody else would, and keeps its file while
    /// batches of the ledger are dispatched.
    func end(
        _ collector: Collector, _ events: EventCollector, _ receipts: ReceiptCollector, _ broker: Broker, _ ledger: any OpenLedger
    ) async {
        let areEventsDrained = await events.drain()
        let isDrained = await collector.drain() && areEventsDrained
        // By the ids that the last results have, receipts find their messages.
        let areReceiptsDrained = await receipts.drain()
        let work = try? await ledger.work()
        let isNeeded = !isDrained || !areReceiptsDrained || work?.allSatisfy { $0.dispatched == 0 } != true
        let isNoted = await note(ledger, EpochStore(broker))
        await broker.close()
        stop(forgets: isNoted && !isNeeded)
    }

    /// Notes beside the ledger what the server knows of it, because its file is removed.
    /// - Returns: whether that is noted; else the server's file stays.
    private func note(_ ledger: any OpenLedger, _ epochs: EpochStore) async -> Bool {
        do {
            try await ledger.note(reached: try await epochs.reached(ledger.unfinished()))
            return true
        } catch {
            Logger(label: "flotilla").warning(
                "what an older copy of the ledger would be known by cannot be noted, and the private Redis keeps its file: \(error)")
            return false
        }
    }
}
