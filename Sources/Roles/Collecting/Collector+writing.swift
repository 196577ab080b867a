import Broker
import Ledger
import Logging
import Metrics
import Model

extension Collector {
    /// Writes until the ledger has taken it: what was sent to people must be kept.
    /// - Returns: nil when the process was cut short: the entries then stay in Redis.
    func write(_ entries: [StatusStreams.Entry]) async -> WriteSummary? {
        let harvest = Harvest(entries)
        for why in harvest.unreadable { logger.error("dropped from a status stream, not readable: \(why)") }
        var backoff = Backoff()
        while true {
            do throws(LedgerError) {
                let summary = try await ledger.write(groups: harvest.results, events: harvest.events, now: Clock.milliseconds())
                note(summary)
                for halt in harvest.halts { try await pause(halt.mailing, halt.reason) }
                for group in harvest.results { await trace(group) }
                return summary
            } catch {
                if backoff.count % 5 == 0 {
                    logger.error("the ledger cannot be written; results wait in Redis: \(error)")
                }
                if case .replaced = error, backoff.count == 0 { await leaveLedger() }
            }
            guard await backoff.wait() else { return nil }
        }
    }

    private func note(_ summary: WriteSummary) {
        for (state, count) in summary.moved { written[state]?.increment(by: count) }
        if summary.duplicates > 0 { duplicates.increment(by: summary.duplicates) }
        if summary.unknown + summary.invalid > 0 {
            logger.error(
                """
                \(summary.unknown) groups of results belong to no mailing of this ledger, and \(summary.invalid) cannot be \
                right; they are ignored. Do two ledgers share one Redis and redis.prefix?
                """)
        }
    }

    /// Pauses a mailing whose provider refuses what only a person can mend.
    private func pause(_ mailing: MailingID, _ reason: String) async throws(LedgerError) {
        let isPaused = try await ledger.setState(
            mailing, to: .paused, from: [.sending], reason: .providerRefused(reason), now: Clock.milliseconds())
        guard isPaused else { return }
        let fields = await providers.fields(of: mailing, in: ledger)
        logger.error("mailing \(mailing) is paused: \(reason)", metadata: fields)
    }

    /// Follows what is in the ledger now: by batch, and for who asks for that (log.level: trace) each message by its id.
    private func trace(_ group: ResultGroup) async {
        guard logger.logLevel <= .debug else { return }
        var fields: Logger.Metadata = [
            "mailing": "\(group.batch.mailing)", "batch": "\(group.batch.number)", "worker": "\(group.worker)",
            "provider": "\(group.provider)",
        ]
        if group.provider.isEmpty { fields["provider"] = await providers.fields(of: group.batch.mailing, in: ledger)["provider"] }
        logger.debug("\(group.results.count) results written", metadata: fields)
        guard logger.logLevel <= .trace else { return }
        for result in group.results {
            logger.trace(
                "written: \(result.state.name), attempt \(result.attempts)",
                metadata: fields.merging(["message_id": "\(group.batch.message(result.index))"]) { $1 })
        }
    }
}

/// Entries of status streams by what they hold.
struct Harvest: Equatable {
    struct Halt: Equatable {
        var mailing: MailingID
        var reason: String
    }

    var results: [ResultGroup] = []
    var events: [EventGroup] = []
    /// Mailings that a worker asks to be paused.
    var halts: [Halt] = []
    /// Why entries cannot be read.
    var unreadable: [String] = []

    init(_ entries: [StatusStreams.Entry]) { self.init(entries.map(\.payload)) }

    init(_ payloads: [StatusStreams.Payload]) {
        for payload in payloads {
            switch payload {
            case .results(let group): results.append(group)
            case .events(let group): events.append(group)
            // Many groups may meet one refusal.
            case .halt(let mailing, let reason):
                if !halts.contains(where: { $0.mailing == mailing }) { halts.append(Halt(mailing: mailing, reason: reason)) }
            case .unreadable(let why): unreadable.append(why)
            }
        }
    }
}
