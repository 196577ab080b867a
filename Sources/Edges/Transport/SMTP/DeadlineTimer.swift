import NIOCore

/// A timer on an event loop whose deadline moves with each reply. It is scheduled anew only where it would fire too late; one that fires
/// too early looks at the deadline and waits on.
///
/// It may be used on its event loop only.
final class DeadlineTimer {
    private let eventLoop: NIOIsolatedEventLoop
    private let passed: () -> Void
    private var deadline = NIODeadline.distantFuture
    private var scheduled: Scheduled<Void>?
    private var scheduledFor = NIODeadline.distantFuture
    private var isCancelled = false

    /// - Parameter passed: is called once for each deadline that passes.
    init(on eventLoop: any EventLoop, passed: @escaping () -> Void) {
        self.eventLoop = eventLoop.assumeIsolated()
        self.passed = passed
    }

    /// Replaces the deadline. Nothing happens after `cancel`.
    func wait(until deadline: NIODeadline) {
        self.deadline = deadline
        if scheduled == nil || deadline < scheduledFor { schedule() }
    }

    /// Ends the timer for good.
    func cancel() {
        isCancelled = true
        scheduled?.cancel()
        scheduled = nil
    }

    private func schedule() {
        guard !isCancelled else { return }
        scheduled?.cancel()
        scheduledFor = deadline
        scheduled = eventLoop.scheduleTask(deadline: deadline) { self.fire() }
    }

    private func fire() {
        scheduled = nil
        guard !isCancelled else { return }
        guard NIODeadline.now() >= deadline else { return schedule() }
        passed()
    }
}
