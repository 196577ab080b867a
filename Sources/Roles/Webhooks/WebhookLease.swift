import Model
import Synchronization

/// Until when the leadership is surely this process's: nothing is sent behind that. It counts by a clock of this machine.
final class WebhookLease: Sendable {
    /// The fencing token of the leadership.
    let fencingToken: Int64
    private let clocks: Clocks
    private let until: Mutex<ContinuousClock.Instant>
    private let isLost = Mutex(false)

    init(fencingToken: Int64, clocks: Clocks) {
        (self.fencingToken, self.clocks) = (fencingToken, clocks)
        until = Mutex(clocks.now)
    }

    /// - Parameter asked: when it was asked for.
    func renew(for time: Duration, asked: ContinuousClock.Instant) { until.withLock { $0 = asked + time } }

    func lose() { isLost.withLock { $0 = true } }

    var isHeld: Bool { !isLost.withLock { $0 } && until.withLock { clocks.now < $0 } }
}
