import Broker
import Delivery
import Foundation
import Model
import ServiceLifecycle
import Telemetry

/// Gives a sign of life once a second, so that others see this process, and how it does (flotilla top).
struct HeartbeatSender: Service {
    /// Names the process.
    let name: String
    let role: Heartbeat.Role
    let broker: Broker
    /// The worker in this process; nil where there is none.
    var worker: Worker?

    func run() async throws {
        let started = Clock.milliseconds()
        try? await cancelWhenGracefulShutdown {
            while true {
                // A Redis that is away is others' word.
                try? await broker.heartbeats.beat(name, await heartbeat(since: started))
                try await Task.sleep(for: HeartbeatStore.interval)
            }
        }
        try? await broker.heartbeats.end(name)
    }

    private func heartbeat(since started: Int64) async -> Heartbeat {
        var heartbeat = Heartbeat(
            role: role, version: Build.version, host: ProcessInfo.processInfo.hostName, process: getpid(), started: started,
            cpu: ProcessReading.cpuSeconds() ?? 0, memory: Int(ProcessReading.residentBytes() ?? 0))
        await worker?.describe(&heartbeat)
        return heartbeat
    }
}

extension Broker {
    var heartbeats: HeartbeatStore { HeartbeatStore(self) }
}
