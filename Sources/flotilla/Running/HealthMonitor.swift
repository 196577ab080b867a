import Broker
import Ledger
import Logging
import Metrics
import Model
import Policy
import ServiceLifecycle
import Telemetry

/// Checks Redis and the ledger every few seconds: sets the gauges of queues and mailings, and the readiness of this process.
struct HealthMonitor: Service {
    let broker: Broker
    /// Nil in a worker, which has no ledger.
    let ledger: (any OpenLedger)?
    let readiness: Readiness
    let logger: Logger

    func run() async throws {
        let queue = BatchQueue(broker)
        let status = StatusStreams(broker)
        let events = EventStreams(broker)
        let receipts = ReceiptStreams(broker)
        readiness.set("redis", ready: false, why: "not checked yet")
        try? await cancelWhenGracefulShutdown {
            while true {
                let lanes = await checkRedis(queue, status, events, receipts)
                if let ledger { await check(ledger) }
                for check in readiness.all {
                    Gauge(label: "flotilla_ready", dimensions: [("check", check.name)]).record(check.ready ? 1 : 0)
                }
                try await Task.sleep(for: Timing.healthPoll(lanes: lanes))
            }
        }
        await status.close()
        await events.close()
        await receipts.close()
    }

    /// - Returns: how many lanes there are, as far as is known.
    private func checkRedis(
        _ queue: BatchQueue, _ status: StatusStreams, _ events: EventStreams, _ receipts: ReceiptStreams
    ) async -> Int {
        var count = 0
        do throws(RedisError) {
            let lanes = try await queue.lanes()
            count = lanes.count
            for channel in Channel.allCases {
                let labels = [("channel", channel.rawValue)]
                let (entries, pending) = try await queue.fullness(lanes.filter { $0.channel == channel })
                Gauge(label: "flotilla_batches_in_flight", dimensions: labels).record(pending)
                Gauge(label: "flotilla_batches_ready", dimensions: labels).record(entries - pending)
            }
            let lag = try await status.lag()
            for (partition, entries) in lag.entries.enumerated() {
                Gauge(label: "flotilla_status_lag_entries", dimensions: [("partition", "\(partition)")]).record(entries)
            }
            Gauge(label: "flotilla_status_lag_seconds").record(lag.age.seconds)
            let depths = try await events.depths()
            for (stream, depth) in depths.enumerated() {
                Gauge(label: "flotilla_events_waiting", dimensions: [("stream", "\(stream)")]).record(depth.entries)
            }
            Gauge(label: "flotilla_events_lag_seconds").record((depths.map(\.age).max() ?? .zero).seconds)
            let told = try await receipts.depths()
            Gauge(label: "flotilla_receipts_waiting").record(told.reduce(0) { $0 + $1.entries })
            Gauge(label: "flotilla_receipts_lag_seconds").record((told.map(\.age).max() ?? .zero).seconds)
            let policy = try await broker.evictionPolicy()
            readiness.set("redis", ready: policy == nil, why: policy.map { "\(RedisError.evicts(policy: $0))" } ?? "")
        } catch {
            readiness.set("redis", ready: false, why: "\(error)")
        }
        return count
    }

    private func check(_ ledger: any OpenLedger) async {
        do throws(LedgerError) {
            let open = MailingState.allCases.filter { !$0.isTerminal }
            let counts = try await ledger.openMailings()
            for state in open {
                Gauge(label: "flotilla_mailings", dimensions: [("state", state.rawValue)]).record(counts[state] ?? 0)
            }
            Gauge(label: "flotilla_recipients_held").record(try await ledger.heldRecipients())
            Gauge(label: "flotilla_dead_letters").record(try await ledger.deadLetterCount())
            Gauge(label: "flotilla_receipts_aside").record(try await ledger.unknownReceiptCount())
            let problem = ledger.problem
            readiness.set("ledger", ready: problem == nil, why: problem.map { "\($0)" } ?? "")
        } catch {
            readiness.set("ledger", ready: false, why: "\(error)")
        }
    }
}
