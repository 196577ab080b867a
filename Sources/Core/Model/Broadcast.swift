import Synchronization

/// Wakes every task that waits for a change; each checks for itself whether the change concerns it.
package final class Broadcast: Sendable {
    private struct State {
        /// Grows with each notification.
        var version = 0
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Broadcasts that are notified as well.
        var children: [Child] = []
    }

    private struct Child: Sendable {
        weak let broadcast: Broadcast?
    }

    private let state = Mutex(State())
    /// By which its waits end.
    private let clocks: Clocks

    package init(clocks: Clocks = .system) { self.clocks = clocks }

    /// One that is also notified whenever another one is.
    package init(notifiedBy parent: Broadcast) {
        clocks = parent.clocks
        parent.state.withLock { state in
            state.children.removeAll { $0.broadcast == nil }
            state.children.append(Child(broadcast: self))
        }
    }

    /// Where the next `wait(after:)` begins: read it before the condition is checked, so that no change is missed.
    package var version: Int { state.withLock { $0.version } }

    package func notify() {
        let (waiters, children) = state.withLock { state in
            state.version += 1
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), state.children)
        }
        for waiter in waiters { waiter.resume() }
        for child in children { child.broadcast?.notify() }
    }

    /// Waits until there was a notification after `version`, and no longer than `time`; nil waits without an end.
    /// - Returns: false when the task was cancelled.
    @discardableResult
    package func wait(after version: Int, atMost time: Duration? = nil) async -> Bool {
        await wait(after: version, until: time.map { clocks.now + $0 })
    }

    private func wait(after version: Int, until deadline: ContinuousClock.Instant?) async -> Bool {
        if let deadline {
            guard clocks.now < deadline else { return !Task.isCancelled }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.suspend(after: version) }
                group.addTask { try? await self.clocks.sleep(until: deadline) }
                await group.next()
                group.cancelAll()
            }
        } else {
            await suspend(after: version)
        }
        return !Task.isCancelled
    }

    /// Waits for `time`, or until `condition` is true, whichever comes first.
    /// - Returns: false when `condition` became true, or the task was cancelled.
    package func wait(atMost time: Duration, unless condition: () -> Bool) async -> Bool {
        let deadline = clocks.now + time
        while true {
            let version = version
            if condition() { return false }
            if clocks.now >= deadline { return true }
            guard await wait(after: version, until: deadline) else { return false }
        }
    }

    private func suspend(after version: Int) async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.version != version || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}
