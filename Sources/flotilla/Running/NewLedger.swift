import Broker
import Foundation
import Ledger
import Logging
import Settings
import Telemetry
import Text

/// What speaks against a new ledger where a path leads to none, as a mistyped one does: who had what is in the ledger that was meant, and a
/// new one sends to everybody again.
struct NewLedger {
    /// Files of a folder that are looked at.
    private static let mostFiles = 2000
    /// Ledgers that are named.
    private static let mostNamed = 3

    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    /// Refuses to make a ledger where another is expected: the settings name one that is there, or the Redis of the fleet carries the
    /// mailings of one. To be called before anything is written.
    /// - Throws: `LedgerError.refused`.
    func requireWanted() async throws(LedgerError) {
        guard let path = settings.ledger.place.file, SQLiteLedger.isMissing(path) else { return }
        let way = "`flotilla ledger init --ledger \(path)` begins with a new one, which knows nothing of what was sent before"
        if let named = settings.ledger.replaced?.file, !SQLiteLedger.isMissing(named) {
            throw .refused("there is no ledger at \(path), and the settings name one that is there, \(named): leave --ledger out. \(way)")
        }
        guard let other = await carriedByRedis() else { return }
        throw .refused(
            """
            there is no ledger at \(path), and the Redis of the fleet carries the mailings of one (\(other)): name that one by --ledger, \
            ledger.path or FLOTILLA_LEDGER_PATH. \(way)
            """)
    }

    /// The identity of the ledger whose mailings the fleet's Redis carries; nil where it carries none, does not answer, or is not named.
    private func carriedByRedis() async -> String? {
        guard RedisEndpoint(settings.redis) != nil, let broker = Broker(orders: settings) else { return nil }
        let found = try? await EpochStore(broker).ledger()
        await broker.close()
        return found
    }

    /// Tells the person at a terminal, whatever is logged, and else the log.
    static func say(_ words: String, _ logger: Logger) {
        if isatty(STDERR_FILENO) != 0 { StandardError.warn(words) } else { logger.warning("\(words)") }
    }

    /// What is said of a ledger that was made.
    static func words(_ path: String) -> String {
        let near = near(path).map(LogText.line)
        let seen = near.isEmpty ? "" : "; earlier ledgers seen: \(Plural.list(near, atMost: mostNamed))"
        return "a new ledger was made: \(LogText.line(path)). It knows nothing of what was sent before\(seen)"
    }

    /// Ledgers in the folder of a path and in the working directory, the newest first.
    private static func near(_ path: String) -> [String] {
        let real = RealPath.of(path)
        let folders = Set([URL(fileURLWithPath: real).deletingLastPathComponent().path, RealPath.of(".")])
        var found: [(path: String, modified: Int64)] = []
        for folder in folders {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).prefix(mostFiles)
            for name in names {
                let file = folder + "/" + name
                guard file != real, SQLiteLedger.isLedger(file), let status = FileStatus(path: file) else { continue }
                found.append((file, status.modified))
            }
        }
        return found.sorted { $0.modified > $1.modified }.map(\.path)
    }
}
