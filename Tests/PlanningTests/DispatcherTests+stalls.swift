import Ledger
import Model
import TestServers
import Testing

@testable import Broker
@testable import Planning

/// Mailings that make no progress though nothing blocks them.
extension DispatcherTests {
    private func beat(_ worker: Heartbeat) async throws {
        var writer = HeartbeatWriter(broker, process: "w")
        try await writer.beat(worker)
    }

    @Test func aMailingWithoutResultsIsStuckWhileSomebodyCouldSendIt() async throws {
        try await plan(1)
        let heartbeats = HeartbeatStore(broker)
        var worker = Heartbeat(role: .worker, version: "1", host: "h", process: 1, started: 1, cpu: 0, memory: 0)
        worker.channels = [.email]
        try await beat(worker)
        let monitor = StallMonitor(broker: broker, ledger: ledger, stuckAfter: .zero, only: nil, clocks: .system, logger: logger)
        let running = Task { await monitor.run() }
        defer { running.cancel() }
        try await eventually("it is stuck") {
            try await beat(worker)
            return try await ledger.mailing(id)?.stuckSince != nil
        }
        try await heartbeats.end("w")
        try await eventually("without a worker it is not") { try await ledger.mailing(id)?.stuckSince == nil }
        running.cancel()
        await running.value
    }
}
