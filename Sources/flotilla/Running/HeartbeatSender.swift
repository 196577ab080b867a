import Broker
import Delivery
import Foundation
import Model
import ServiceLifecycle
import Telemetry

/// Sends a heartbeat once a second, or a little less often when it tells of hundreds of mailings, with figures of this process for
/// `flotilla top`.
struct HeartbeatSender: Service {
    /// The name of the process.
    let name: String
    let role: Heartbeat.Role
    let broker: Broker
    /// The worker in this process, if there is one.
    var worker: Worker?

    func run() async throws {
        let (started, host) = (Clock.milliseconds(), ProcessInfo.processInfo.hostName)
        try? await cancelWhenGracefulShutdown {
            var writer = HeartbeatWriter(broker, process: name)
            while true {
                // Other services report that Redis is unavailable.
                let heartbeat = await heartbeat(host: host, since: started)
                try? await writer.beat(heartbeat)
                try await Task.sleep(for: HeartbeatStore.interval(mailings: heartbeat.mailings.count))
            }
        }
        try? await HeartbeatStore(broker).end(name)
    }

    private func heartbeat(host: String, since started: Int64) async -> Heartbeat {
        var heartbeat = Heartbeat(
            role: role, version: Build.version, host: host, process: getpid(), started: started,
            cpu: ProcessReading.cpuSeconds() ?? 0, memory: Int(ProcessReading.residentBytes() ?? 0))
        await worker?.describe(&heartbeat)
        return heartbeat
    }
}
