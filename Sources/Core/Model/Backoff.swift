/// Waits that grow from 50 ms to 5 s, for a server that is unavailable. Each is drawn from half of its length to all of it, so that a fleet
/// does not come back in step.
package struct Backoff: Sendable {
    /// Waits so far.
    package private(set) var count = 0

    package init() {}

    /// Waits once, and no longer than until `condition` is true.
    /// - Parameter changes: notified whenever `condition` may have become true.
    /// - Returns: false when it has, or the task was cancelled.
    package mutating func wait(on changes: Broadcast, unless condition: () -> Bool) async -> Bool {
        await changes.wait(atMost: next(), unless: condition)
    }

    /// Waits once.
    /// - Returns: false when the task was cancelled.
    package mutating func wait() async -> Bool {
        do {
            try await Task.sleep(for: next())
            return true
        } catch {
            return false
        }
    }

    private mutating func next() -> Duration {
        defer { count += 1 }
        return .seconds(min(5, 0.05 * Double(1 << min(count, 10))) * Double.random(in: 0.5...1))
    }
}
