package import Broker
package import Ledger
package import Logging
import Metrics
import Model
import ServiceLifecycle
import Synchronization

/// Takes results and events from the status streams and writes them into the ledger: many in one transaction, confirmed to
/// Redis only after the commit. Any number may run.
package struct Collector: Service {
    /// Entries in a transaction at most.
    private static let limit = 200
    /// How long a small harvest waits for more: a transaction costs as much as a hundred results.
    private static let linger = Duration.milliseconds(25)

    private let status: StatusStreams
    private let ledger: any ResultStore & MailingStore
    private let name: String
    private let logger: Logger
    private let duplicates = Counter(label: "flotilla_results_duplicate_total")
    private let written: [RecipientState: Counter]

    /// - Parameter name: names the collector in Redis; the same name takes up what it left unconfirmed.
    package init(broker: Broker, ledger: any ResultStore & MailingStore, name: String, logger: Logger) {
        status = StatusStreams(broker)
        self.ledger = ledger
        self.name = name
        self.logger = logger
        written = Dictionary(
            uniqueKeysWithValues: RecipientState.allCases.map {
                ($0, Counter(label: "flotilla_results_written_total", dimensions: [("state", $0.name)]))
            })
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        let stopping = Atomic<Bool>(false)
        await withGracefulShutdownHandler {
            await collect { stopping.load(ordering: .relaxed) }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
        }
        await status.close()
    }

    private func collect(isStopping: () -> Bool) async {
        var patience = Patience()
        var isFirst = true
        while !Task.isCancelled {
            let lastRound = isStopping()
            do throws(RedisError) {
                let entries = isFirst ? try await leftovers() : try await harvest(wait: !lastRound)
                isFirst = false
                patience = Patience()
                if entries.isEmpty {
                    if lastRound { return }
                    continue
                }
                guard await write(entries) else { return }
                try await status.confirm(entries)
            } catch {
                logger.warning("status streams cannot be read or confirmed, trying again: \(error)")
                if lastRound, patience.count > 5 {
                    return logger.error("results are left in Redis: they are collected at the next start")
                }
                guard await patience.wait() else { return }
            }
        }
    }

    private func leftovers() async throws(RedisError) -> [StatusStreams.Entry] {
        try await status.readUnconfirmed(consumer: name, count: 10_000)
    }

    private func harvest(wait: Bool) async throws(RedisError) -> [StatusStreams.Entry] {
        var entries = try await status.read(consumer: name, count: Self.limit, block: wait ? .milliseconds(500) : nil)
        if !entries.isEmpty, entries.count < Self.limit / 4 {
            try? await Task.sleep(for: Self.linger)
            entries += try await status.read(consumer: name, count: Self.limit, block: nil)
        }
        return entries
    }

    /// Writes until the ledger has taken it: what was sent to people must be kept.
    /// - Returns: false when the process was cut short; the entries then stay in Redis.
    private func write(_ entries: [StatusStreams.Entry]) async -> Bool {
        var results: [ResultGroup] = []
        var events: [EventGroup] = []
        var halts: [(MailingID, String)] = []
        for entry in entries {
            switch entry.payload {
            case .results(let group): results.append(group)
            case .events(let group): events.append(group)
            case .halt(let mailing, let reason): halts.append((mailing, reason))
            case .unreadable(let why): logger.error("dropped from a status stream, not readable: \(why)")
            }
        }
        var patience = Patience()
        while true {
            do throws(LedgerError) {
                let summary = try await ledger.write(groups: results, events: events, now: Clock.milliseconds())
                for (state, count) in summary.moved { written[state]?.increment(by: count) }
                if summary.duplicates > 0 { duplicates.increment(by: summary.duplicates) }
                for (mailing, reason) in halts {
                    if try await ledger.setState(
                        mailing, to: .paused, from: [.sending], reason: reason, now: Clock.milliseconds())
                    {
                        logger.error("mailing \(mailing) is paused: \(reason)", metadata: ["mailing": "\(mailing)"])
                    }
                }
                return true
            } catch {
                if patience.count % 5 == 0 {
                    logger.error("the ledger takes no results, they wait in Redis: \(error)")
                }
            }
            guard await patience.wait() else { return false }
        }
    }
}
