import Broker
import Collecting
import Ledger
import Logging
import Settings

extension PrivateRedis {
    /// A private Redis where the settings name none.
    static func unlessNamed(in settings: Settings) async throws -> PrivateRedis? {
        guard settings.redis.endpoint == nil else { return nil }
        return try await PrivateRedis(ledger: settings.ledger.path, logger: Logger(label: "flotilla"))
    }

    /// Ends the server after the roles have ended: collects the last results, for which nobody else would come, and keeps its file only
    /// where the ledger still has batches out.
    func end(_ collector: Collector, _ broker: Broker, _ ledger: SQLiteLedger) async {
        let isDrained = await collector.drain()
        let work = try? await ledger.work()
        await broker.close()
        stop(forgets: isDrained && work?.allSatisfy { $0.dispatched == 0 } ?? false)
    }
}
