import Synchronization

/// Orders a role to end, and wakes its waiting tasks.
package final class StopRequest: Sendable {
    private let isRequested = Atomic<Bool>(false)
    /// Notified by the request.
    package let changes = Broadcast()

    package init() {}

    /// The role is to end: somebody asked for it, or its task was cancelled.
    package var isStopping: Bool { isRequested.load(ordering: .relaxed) || Task.isCancelled }

    package func request() {
        isRequested.store(true, ordering: .relaxed)
        changes.notify()
    }

    /// Waits for the request, at most so long.
    package func wait(atMost time: Duration) async {
        _ = await changes.wait(atMost: time, unless: { isStopping })
    }
}

extension Backoff {
    /// Waits once, at most until the request.
    /// - Returns: false when the role is to end.
    package mutating func wait(unless stop: StopRequest) async -> Bool {
        await wait(on: stop.changes, unless: { stop.isStopping })
    }
}
