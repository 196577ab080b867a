import Delivery
import Foundation
import Logging
import Synchronization
import UnixSignals

/// Handles SIGTERM and Ctrl-C where the service group does not: before the services run, a signal ends the process at once; a second
/// signal ends the graceful stop early.
final class SignalHandler: Sendable {
    private let isRunning = Atomic<Bool>(false)
    private let worker = Mutex<Worker?>(nil)
    private let first = Mutex<String?>(nil)
    private let logger: Logger

    /// The first signal that came while services ran, by its name; nil for none.
    var received: String? { first.withLock { $0 } }

    init(logger: Logger) {
        self.logger = logger
        // Until the task below has trapped them, which may take a moment, a signal does what it would do then.
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
        Task { await watch() }
    }

    /// From now on the service group handles the first signal.
    /// - Parameter worker: the worker whose graceful stop a second signal ends early.
    func begin(worker: Worker?) {
        self.worker.withLock { $0 = worker }
        isRunning.store(true, ordering: .sequentiallyConsistent)
    }

    private func watch() async {
        var count = 0
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            guard isRunning.load(ordering: .sequentiallyConsistent) else { exit(0) }
            count += 1
            first.withLock { $0 = $0 ?? "\(signal)" }
            guard count > 1 else { continue }
            logger.warning("a second signal ends the graceful stop early")
            await worker.withLock { $0 }?.cut()
            // The last results need a moment to reach Redis. Then the process ends, whatever still hangs.
            try? await Task.sleep(for: .seconds(3))
            logger.critical("the process ends now; messages in flight are uncertain, and other workers take over its batches")
            exit(3)
        }
    }
}
