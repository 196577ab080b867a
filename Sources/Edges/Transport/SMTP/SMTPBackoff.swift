import NIOCore

/// How long no new connection is tried after one failed: doubling from a quarter of a second to ten seconds, with
/// jitter.
struct SMTPBackoff: Sendable {
    static let first: Int64 = 250
    static let longest: Int64 = 10_000

    /// Failures since the last success.
    private(set) var failures = 0
    /// Until when nothing is tried.
    private(set) var until = NIODeadline.uptimeNanoseconds(0)

    func holds(at now: NIODeadline) -> Bool { failures > 0 && now < until }

    /// A connection could not be had or was of no use. Several that fail together count once.
    /// - Parameter jitter: from 0 to 1, of the half of the wait that is left to chance.
    mutating func failed(at now: NIODeadline, jitter: Double) {
        guard !holds(at: now) else { return }
        let full = min(Self.longest, Self.first << min(failures, 8))
        failures += 1
        until = now + .milliseconds(full / 2 + Int64(Double(full / 2) * jitter))
    }

    mutating func succeeded() { failures = 0 }
}
