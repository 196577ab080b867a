import Broker
import Metrics
import Model

/// Cuts a batch into groups, and under a limit lets each go at its time. Slots are reserved for some 50 ms of work, and
/// used in groups of some 5 ms.
struct Pacer {
    private let throttle: Throttle
    private let groupSize: GroupSize
    private let waits: Metrics.Timer
    private var slots: Throttle.Slots?
    private var reserved = ContinuousClock.now
    private var used = 0
    private var count = 0

    init(throttle: Throttle, groupSize: GroupSize, waits: Metrics.Timer) {
        self.throttle = throttle
        self.groupSize = groupSize
        self.waits = waits
    }

    /// Waits for the next group's time.
    /// - Returns: how many messages may start now; 0 when the wait was broken off because `mayBegin` said no, or Redis
    ///   gave no slots yet.
    mutating func next(_ remaining: Int, scope: Throttle.Scope?, mayBegin: () -> Bool) async -> Int {
        guard let scope else { return min(remaining, groupSize.now) }
        if slots == nil || used == count {
            count = min(remaining, max(1, Int(50_000 / scope.interval)))
            used = 0
            // The clock is read after the call: slots are used late by half a round trip, never early.
            do throws(RedisError) {
                slots = try await throttle.reserve(count, in: [scope])
                reserved = .now
            } catch {
                slots = nil
                // The caller asks again, or sees that it must stop.
                try? await Task.sleep(for: .milliseconds(100))
                return 0
            }
        }
        guard let slots else { return 0 }
        let asked = ContinuousClock.now
        let due = reserved + .microseconds(Int64(slots.delay(used).rounded(.up)))
        while true {
            guard mayBegin() else { return 0 }
            let wait = due - ContinuousClock.now
            if wait <= .zero { break }
            do { try await Task.sleep(for: min(wait, .milliseconds(200)), tolerance: .zero) } catch { return 0 }
        }
        let size = min(count - used, groupSize.now, max(1, Int(5_000 / scope.interval)))
        used += size
        waits.recordNanoseconds((ContinuousClock.now - asked).nanoseconds)
        return size
    }
}
