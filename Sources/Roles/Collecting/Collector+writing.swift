import Broker
import Ledger
import Logging
import Metrics
import Model
import Policy

extension Collector {
    /// Writes until the ledger has taken it: what was sent to people must be kept.
    /// - Returns: nil when the process was cut short: the entries then stay in Redis.
    func write(_ entries: [StatusStreams.Entry]) async -> WriteSummary? {
        let sorted = SortedEntries(entries)
        unreadable.note(entries.filter(\.isFound).compactMap { entry in entry.letter.map { (entry.name, $0.reason) } }, of: .status)
        var backoff = Backoff()
        var line = RepeatedLine()
        while true {
            do throws(LedgerError) {
                let summary = try await ledger.write(
                    groups: sorted.results, events: sorted.events, letters: sorted.letters, suppressing: suppressions,
                    now: clocks.milliseconds)
                note(summary)
                brake?.note(summary.braked)
                unreadable.tell(logger)
                for halt in sorted.halts { try await pause(halt.mailing, StateReason(halt.request)) }
                try await judge(sorted.results, summary.refused)
                for group in sorted.results { await trace(group) }
                return summary
            } catch {
                if line.add(at: clocks.monotonic) != nil {
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
        if summary.early > 0 {
            logger.error(
                """
                workers called recipients expired (\(summary.early)) whose time has not come by the ledger; they are sent to. Does another \
                program write to the keys of this redis.prefix?
                """)
        }
        if summary.unknown + summary.invalid > 0 {
            logger.error(
                """
                \(summary.unknown) groups of results belong to no mailing of this ledger and are ignored; \(summary.invalid) have \
                results that cannot be right, which are not taken. Do two ledgers share one Redis and redis.prefix?
                """)
        }
    }

    /// Pauses mailings of which the provider refuses everybody.
    /// - Parameter refused: mailings that may have been accepted nowhere yet.
    private func judge(_ groups: [ResultGroup], _ refused: Set<MailingID>) async throws(LedgerError) {
        for mailing in refused {
            guard let held = try await ledger.doubtfulRefusals(mailing), let finding = refusals.judge(held) else { continue }
            try await pause(mailing, finding)
        }
        for group in groups {
            guard let finding = refusals.note(group) else { continue }
            try await pause(group.batch.mailing, finding)
        }
    }

    private func pause(_ mailing: MailingID, _ finding: RefusalCircuit.Finding) async throws(LedgerError) {
        let provider = await providers.fields(of: mailing, in: ledger)["provider"]
        try await pause(mailing, .providerRefused(finding.common.words(provider: provider.map { "\($0)" } ?? "", text: finding.text)))
    }

    /// Pauses a mailing for a cause that only a person can remove.
    private func pause(_ mailing: MailingID, _ reason: StateReason) async throws(LedgerError) {
        let isPaused = try await ledger.setState(mailing, to: .paused, from: [.sending], reason: reason, now: clocks.milliseconds)
        guard isPaused else { return }
        let fields = await providers.fields(of: mailing, in: ledger)
        logger.error("mailing \(mailing) is paused: \(reason.text)", metadata: fields)
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

extension StateReason {
    /// Why a mailing is paused that a worker asks to be paused.
    init(_ halt: MailingHalt) {
        let kind: Kind =
            switch halt.cause {
            case .refusal: .providerRefused
            case .unsendable: .unsendable
            }
        self.init(kind: kind, text: halt.text)
    }
}
