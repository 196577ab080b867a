import NIOCore

/// How many connections a provider takes at once, as its refusals tell: while it refuses one more, those that are open do the work, and
/// one more is tried after growing waits.
struct SMTPCeiling: Sendable {
    /// Milliseconds.
    static let first: Int64 = 1_000
    static let longest: Int64 = 60_000

    /// Connections that it took; nil where none was refused.
    private(set) var count: Int?
    /// When one more is tried.
    private(set) var retry = NIODeadline.uptimeNanoseconds(0)
    private var refusals = 0

    /// Whether one more than `connections` may be tried.
    func allows(_ connections: Int, at now: NIODeadline) -> Bool {
        guard let count, connections >= count else { return true }
        return now >= retry
    }

    /// A connection was refused while others were open.
    /// - Parameters:
    ///   - open: how many, from 1.
    ///   - jitter: from 0 to 1.
    ///   - fleet: workers that use the provider, from 1.
    mutating func refused(open: Int, at now: NIODeadline, jitter: Double, fleet: Int = 1) {
        // Several that are refused together count once.
        if let count, now < retry {
            self.count = min(count, open)
            return
        }
        count = open
        let first = Self.first * Int64(min(max(fleet, 1), 10_000))
        let full = min(max(Self.longest, first), first << min(refusals, 8))
        refusals += 1
        retry = now + .milliseconds(full / 2 + Int64(Double(full / 2) * jitter))
    }

    /// A connection was opened.
    /// - Parameter open: how many there are now.
    mutating func opened(_ open: Int) {
        guard let count, open > count else { return }
        self.count = open * 2
        refusals = 0
    }
}
