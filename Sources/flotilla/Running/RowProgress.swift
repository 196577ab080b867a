import Synchronization
import Telemetry

/// Tells every few seconds how far a long import is: rows, rate and the time that is left.
final class RowProgress: Sendable {
    private let total: Int
    private let start = ContinuousClock.now
    private let last = Mutex(ContinuousClock.now)

    init(of total: Int) { self.total = total }

    func tell(_ done: Int) {
        let now = ContinuousClock.now
        let isDue = last.withLock { last in
            guard now - last > .seconds(2) else { return false }
            last = now
            return true
        }
        guard isDue, done > 0 else { return }
        let rate = Double(done) / ((now - start) / .seconds(1))
        let left = Int((Double(total - done) / rate).rounded(.up))
        StandardError.write("\(grouped(done)) of \(counted(total, "row")), \(grouped(Int(rate)))/s, \(left) s left")
    }
}
