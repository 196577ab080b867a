/// Waits that grow from 50 ms to 5 s, for whatever is away for a while.
package struct Backoff: Sendable {
    /// Waits so far.
    package private(set) var count = 0

    package init() {}

    /// Waits once like `wait()`, but not on after `condition` has become true.
    /// - Returns: false when it has, or the task was cancelled.
    package mutating func wait(unless condition: () -> Bool) async -> Bool {
        let seconds = min(5, 0.05 * Double(1 << min(count, 10))) * Double.random(in: 0.5...1)
        count += 1
        let end = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            let left = end - ContinuousClock.now
            if left <= .zero { return true }
            do { try await Task.sleep(for: min(left, .milliseconds(100))) } catch { return false }
        }
        return false
    }

    /// Waits once, spread by half so that a fleet does not come back in step.
    /// - Returns: false when the task was cancelled.
    package mutating func wait() async -> Bool {
        let seconds = min(5, 0.05 * Double(1 << min(count, 10)))
        count += 1
        do {
            try await Task.sleep(for: .seconds(seconds * Double.random(in: 0.5...1)))
            return true
        } catch {
            return false
        }
    }
}
