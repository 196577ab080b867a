package import Model
import Synchronization

extension SQLiteLedger: ChangeSource {
    package func wake(_ signal: WakeSignal) -> ChangeSubscription {
        let subscription = changes.add(signal)
        watcher.withLock { [changes, path, logger] watcher in
            guard watcher == nil else { return }
            watcher = CommitWatcher(path: path, logger: logger) { changes.notify() }
        }
        return subscription
    }

    /// Ends the watcher; changes by other processes are told no longer.
    func endWatching() {
        let watcher = watcher.withLock { $0.take() }
        watcher?.end()
    }
}
