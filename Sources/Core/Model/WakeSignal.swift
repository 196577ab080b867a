import Synchronization

/// Wakes a task that waits for work. Notifications coalesce: one or many of them before a wait end that wait at once, so none is lost
/// between a look at the work and the wait. One task waits at a time.
package final class WakeSignal: Sendable {
    private struct State {
        var isSet = false
        /// The continuation of the task that waits, and the number of its wait.
        var waiter: CheckedContinuation<Bool, Never>?
        var wait = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Ends the current wait, or the next one where none waits.
    package func notify() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let waiter = state.waiter.take() else {
                state.isSet = true
                return nil
            }
            return waiter
        }
        waiter?.resume(returning: true)
    }

    /// Waits for a notification, at most for `timeout`; nil waits without an end.
    /// - Returns: false when the time was up or the task was cancelled.
    @discardableResult
    package func wait(atMost timeout: Duration?) async -> Bool {
        if take() { return true }
        guard let timeout else { return await suspend() }
        guard timeout > .zero else { return false }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.suspend() }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            // A notification may have come between the end of the time and the cancellation.
            for await other in group where other { return true }
            return first
        }
    }

    private func take() -> Bool {
        state.withLock { state in
            defer { state.isSet = false }
            return state.isSet
        }
    }

    private func suspend() async -> Bool {
        let wait = state.withLock { state in
            state.wait += 1
            return state.wait
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool? in
                    if state.isSet {
                        state.isSet = false
                        return true
                    }
                    if Task.isCancelled { return false }
                    state.waiter = continuation
                    return nil
                }
                if let isOver { continuation.resume(returning: isOver) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.wait == wait ? $0.waiter.take() : nil }
            waiter?.resume(returning: false)
        }
    }
}
