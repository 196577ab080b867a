import Foundation
import Logging
import Synchronization

/// Tells of commits to a ledger's file, whichever process makes them, until it is ended. It is one thread, which sleeps while nobody
/// writes.
final class CommitWatcher: Sendable {
    /// The end of a pipe that tells the thread to end when it is written to.
    private let stop: Mutex<Int32?>
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Starts watching. Each commit that becomes visible after this returns is told. Where no file descriptors are left, nothing is
    /// watched.
    /// - Parameter onCommit: called on the watcher's thread.
    init(path: String, logger: Logger, onCommit: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            logger.warning("changes of the ledger cannot be watched: \(String(cString: strerror(errno)))")
            stop = Mutex(nil)
            return
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stop = Mutex(ends[1])
        let (isStopped, hasEnded) = (ends[0], hasEnded)
        let isReady = DispatchSemaphore(value: 0)
        let thread = Thread {
            var watch = CommitWatch(path: path, stop: isStopped, logger: logger, onCommit: onCommit)
            isReady.signal()
            watch.run()
            watch.close()
            close(isStopped)
            hasEnded.signal()
        }
        thread.name = "ledger changes"
        thread.stackSize = 512 << 10
        thread.start()
        isReady.wait()
    }

    /// Ends watching; when this returns, the watcher no longer has the file open. Further calls do nothing.
    func end() {
        guard let stop = stop.withLock({ $0.take() }) else { return }
        // Closing alone would not do: a child process may have inherited this end.
        _ = write(stop, [0], 1)
        close(stop)
        hasEnded.wait()
    }

    deinit { end() }
}
