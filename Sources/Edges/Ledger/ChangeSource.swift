package import Model
import Synchronization

/// Tells when the ledger has changed, so that nobody has to look for work at intervals.
package protocol ChangeSource: Sendable {
    /// Notifies a signal after each commit to the ledger, by this process or another, until the subscription ends. A notification says
    /// only that something may have changed: commits that follow one another closely are told together, and a commit of this process may
    /// be told twice. Reads notify nobody.
    func wake(_ signal: WakeSignal) -> ChangeSubscription
}

/// A signal's place among those that are notified. It ends with `cancel()`, or with the value's last reference.
package final class ChangeSubscription: Sendable {
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    /// Ends the subscription; further calls do nothing.
    package func cancel() { end() }

    deinit { end() }
}

/// The signals of those who wait for changes.
final class ChangeNotifier: Sendable {
    private struct State {
        var signals: [Int: WakeSignal] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    func add(_ signal: WakeSignal) -> ChangeSubscription {
        let number = state.withLock { state in
            state.next += 1
            state.signals[state.next] = signal
            return state.next
        }
        return ChangeSubscription { [self] in state.withLock { _ = $0.signals.removeValue(forKey: number) } }
    }

    func notify() {
        // A signal resumes a task, which must not happen inside the lock.
        let signals = state.withLock { Array($0.signals.values) }
        for signal in signals { signal.notify() }
    }
}
