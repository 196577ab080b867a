import ArgumentParser
import Broker
import CommandSupport
import Ledger
import Model
import Policy
import Settings
import Telemetry

extension MailingCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show the state and the progress of a mailing, and what it waits for.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var redis: RedisOption
        @OptionGroup var mailing: MailingArgument
        @OptionGroup var output: OutputOptions

        func run() async throws {
            output.warnOfOldOption()
            var settings = try options.settings(mayDiffer: true)
            try redis.apply(to: &settings)
            let ledger = try options.open(settings)
            let record = try await mailing.find(in: ledger)
            guard let progress = try await ledger.progress(record.id) else { return }
            let blocking = try await blocking(record, ledger, settings)
            let faults = try await ledger.sourceFaults()[record.id] ?? []
            let brake = try await ledger.status(record.id)?.brake ?? []
            let isStored = record.planningDone ? false : try await ledger.uploads()[record.id] != nil
            let rounds = try await ledger.rounds(record.id)
            if output.isJSON {
                var json = MailingJSON(record, progress)
                (json.blockingKind, json.blockingReason) = (blocking?.kind, blocking?.reason)
                json.unreadable = faults.isEmpty ? nil : faults.map { .init(host: $0.host, problem: $0.problem) }
                json.brake = brake.isEmpty ? nil : brake
                json.recipientsStored = isStored ? true : nil
                json.rounds = rounds.isEmpty ? nil : rounds
                return StandardOutput.write(json: try ScriptJSON.text(json))
            }
            var rows = [
                ["id", record.id.description], ["name", record.mailing.name], ["state", record.state.rawValue],
                ["channel", record.mailing.channel.rawValue], ["provider", record.mailing.provider],
                ["speed", record.speed ?? "no limit"], ["file", record.origin],
                ["recipients", (record.source?.file ?? "-") + (isStored ? " (stored in the ledger)" : "")],
            ]
            for fault in faults { rows.append(["unreadable", "\(fault)"]) }
            if case .key(let key) = record.identity { rows.append(["key", key]) }
            if let category = record.mailing.category { rows.append(["category", category]) }
            if let start = record.start { rows.append(["start", Timestamp.text(start)]) }
            if let last = rounds.last {
                let who = last.actor.isEmpty ? "" : " by \(last.actor)"
                let since = last.at.map(Timestamp.text) ?? "-"
                rows.append(["round", "\(last.number), since \(since)\(who): \(counted(last.recipients, "recipient")) sent to again"])
            }
            if let pruned = record.pruned { rows.append(["pruned", Timestamp.text(pruned)]) }
            if !record.reason.isEmpty { rows.append(["reason", record.reason]) }
            if let why = blocking?.reason, why != record.reason { rows.append(["why", why]) }
            for one in brake { rows.append(["brake", "\(one.finding.key.level.rawValue): \(one.finding.words)"]) }
            if !record.state.isTerminal, progress[.deferred] > 0, let response = try await ledger.commonestDeferral(record.id) {
                rows.append(["commonest response", response.words])
            }
            StandardOutput.write(TextTable(header: [], rows: rows).text)
            let line = ProgressLine(
                name: record.mailing.name, progress: progress, rate: nil,
                secondsToStart: record.secondsToStart(Clock.milliseconds()))
            StandardOutput.write(line.text.text)
        }

        /// What it waits for, as `top` says it; nil for one that has ended, and for one that nothing blocks.
        private func blocking(
            _ record: MailingRecord, _ ledger: any OpenLedger, _ settings: Settings
        ) async throws -> (kind: String, reason: String)? {
            guard !record.state.isTerminal else { return nil }
            let broker = Broker(orders: settings)
            var sampler = FleetSampler(broker: broker, ledger: ledger, stuckAfter: settings.planner.stuckAfter)
            let (line, problems) = try await sampler.look(at: record.id)
            await sampler.close()
            if let line, !line.blockingReason.isEmpty { return (line.blockingKind, line.blockingReason) }
            if record.state != .sending { return nil }
            if broker == nil {
                return ("unknown", "not known: no Redis is named (--redis, redis.url), so nothing is known of the workers")
            }
            return problems.first.map { ("unknown", "not known: \($0)") }
        }
    }
}
