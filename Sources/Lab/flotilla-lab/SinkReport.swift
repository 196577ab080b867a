import ServiceLifecycle
import Sink
import Synchronization
import Telemetry

/// Prints what a sink has counted: at times while it runs, and at its end.
final class SinkReport: Service {
    private let period: Duration?
    private let sink = Mutex<RunningSink?>(nil)
    private let started = ContinuousClock.now

    init(every period: Duration?) { self.period = period }

    func watch(_ sink: RunningSink) { self.sink.withLock { $0 = sink } }

    func run() async throws {
        guard let period else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            var last = 0
            while (try? await Task.sleep(for: period)) != nil {
                guard let counts = self.sink.withLock({ $0?.counts }) else { continue }
                let total = counts.accepted + counts.refusals
                let rate = Double(total - last) / (period / .seconds(1))
                last = total
                StandardError.write("\(counts) rate \(Int(rate))/s")
            }
        }
    }

    /// Prints the last counts, with the rate over the whole run.
    func printLast() {
        guard let counts = sink.withLock({ $0?.counts }) else { return }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let rate = Double(counts.accepted + counts.refusals) / max(seconds, 0.001)
        StandardError.write("\(counts) rate \(Int(rate))/s")
    }
}
