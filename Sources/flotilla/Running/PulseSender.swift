import Broker
import Delivery
import Foundation
import Model
import ServiceLifecycle
import Telemetry

/// Gives a sign of life once a second, so that others see this process, and how it does (flotilla top).
struct PulseSender: Service {
    /// Names the process.
    let name: String
    let role: Pulse.Role
    let broker: Broker
    /// The worker in this process; nil where there is none.
    var worker: Worker?

    func run() async throws {
        let started = Clock.milliseconds()
        try? await cancelWhenGracefulShutdown {
            while true {
                // A Redis that is away is others' word.
                try? await broker.pulses.beat(name, await pulse(since: started))
                try await Task.sleep(for: PulseBoard.interval)
            }
        }
        try? await broker.pulses.end(name)
    }

    private func pulse(since started: Int64) async -> Pulse {
        var pulse = Pulse(
            role: role, version: Build.version, host: ProcessInfo.processInfo.hostName, process: getpid(), started: started,
            cpu: ProcessReading.cpuSeconds() ?? 0, memory: Int(ProcessReading.residentBytes() ?? 0))
        await worker?.describe(&pulse)
        return pulse
    }
}

extension Broker {
    var pulses: PulseBoard { PulseBoard(self) }
}
