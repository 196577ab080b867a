import Delivery
import Foundation
import Logging
import Synchronization
import UnixSignals

/// What SIGTERM and Ctrl-C mean beside the orderly stop, which is the service group's: before anything has begun they end the
/// process at once, and a second one does not want to wait.
final class SignalHandler: Sendable {
    private let isRunning = Atomic<Bool>(false)
    private let worker = Mutex<Worker?>(nil)
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
        Task { await watch() }
    }

    /// From now on the first signal is the service group's.
    /// - Parameter worker: whose stop a second signal cuts short.
    func begin(worker: Worker?) {
        self.worker.withLock { $0 = worker }
        isRunning.store(true, ordering: .sequentiallyConsistent)
    }

    private func watch() async {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            guard isRunning.load(ordering: .sequentiallyConsistent) else { exit(0) }
            count += 1
            guard count > 1 else { continue }
            logger.warning("a second signal: the stop is cut short")
            await worker.withLock { $0 }?.cut()
            // Results need a moment to get out; whatever hangs now is left.
            try? await Task.sleep(for: .seconds(3))
            logger.critical("the process ends now; what was on its way is uncertain, and others take over its batches")
            exit(3)
        }
    }
}
