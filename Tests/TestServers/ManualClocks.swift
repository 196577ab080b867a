package import Model
import Synchronization

/// Clocks that stand still until a test moves them. Whoever sleeps by them wakes when they have come so far.
package final class ManualClocks: Sendable {
    private struct State {
        /// Since the clocks were made.
        var passed = Duration.zero
        var nextSleeper = 0
        var sleepers: [Int: (deadline: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
    }

    private let begun = ContinuousClock.now
    private let begunMonotonic = Clock.monotonic()
    private let begunMilliseconds = Clock.milliseconds()
    private let state = Mutex(State())

    package init() {}

    private var passed: Duration { state.withLock { $0.passed } }

    package var clocks: Clocks {
        Clocks(
            now: { self.begun + self.passed }, monotonic: { self.begunMonotonic + self.passed.nanoseconds },
            milliseconds: { self.begunMilliseconds + self.passed.milliseconds }, sleep: { try await self.sleep(until: $0) })
    }

    /// How many tasks sleep by the clocks now.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// The time until the first sleeper wakes; nil where nobody sleeps.
    package var next: Duration? {
        state.withLock { state in state.sleepers.values.map(\.deadline).min().map { max(.zero, $0 - state.passed) } }
    }

    /// Lets time pass, and wakes those whose deadlines have come.
    package func pass(_ time: Duration) {
        let woken = state.withLock { state in
            state.passed += time
            let due = state.sleepers.filter { $0.value.deadline <= state.passed }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    private func sleep(until deadline: ContinuousClock.Instant) async throws {
        let number = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    let due = deadline - begun
                    if due <= state.passed { return .success(()) }
                    state.sleepers[number] = (due, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume(throwing: CancellationError())
        }
    }
}
