import NIOCore

/// How long no new connection is tried after one failed: doubling, with jitter, from half a second for each worker of the fleet to ten
/// seconds or that, so that all workers together make a few attempts a second at most.
struct ConnectBackoff: Sendable {
    /// Milliseconds.
    static let first: Int64 = 500
    static let longest: Int64 = 10_000

    /// Failures since the last success.
    private(set) var failures = 0
    /// Until when nothing is tried.
    private(set) var until = NIODeadline.uptimeNanoseconds(0)

    func holds(at now: NIODeadline) -> Bool { failures > 0 && now < until }

    /// A connection could not be had or was of no use. Several that fail together count once.
    /// - Parameters:
    ///   - jitter: from 0 to 1, of the half of the wait that is left to chance.
    ///   - fleet: workers that use the provider, from 1.
    mutating func failed(at now: NIODeadline, jitter: Double, fleet: Int = 1) {
        guard !holds(at: now) else { return }
        let first = Self.first * Int64(min(max(fleet, 1), 10_000))
        let full = min(max(Self.longest, first), first << min(failures, 8))
        failures += 1
        until = now + .milliseconds(full / 2 + Int64(Double(full / 2) * jitter))
    }

    mutating func succeeded() { failures = 0 }
}
