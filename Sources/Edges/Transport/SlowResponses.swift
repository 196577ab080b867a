/// Which messages may be waited for beside the connections at work. One whose response takes longer than `lateAfter` would keep a
/// connection from all others; a second one takes its place as long as such messages are few. A provider that is slow with all gets no
/// connection more.
package struct SlowResponses: Sendable {
    /// Nanoseconds after which a response is late.
    static let lateAfter: Int64 = 2_000_000_000
    /// Connections beside those at work, for each of these, and at most.
    static let perConnection = 4
    static let most = 200
    /// Of ten messages one may be late.
    private static let share = 0.1

    private let limit: Int

    /// Late messages at most that are waited for beside so many connections at work.
    package static func limit(connections: Int) -> Int { min(perConnection * connections, most) }

    /// Late messages that may still be waited for.
    private var credit: Double

    /// - Parameters:
    ///   - connections: those that may be at work.
    ///   - most: late messages at most, should the process have descriptors for so many only.
    init(connections: Int, atMost most: Int = .max) {
        limit = min(Self.limit(connections: connections), most)
        credit = Double(max(1, limit / 8))
    }

    /// Messages were answered in time.
    mutating func answered(_ count: Int) { credit = min(Double(limit), credit + Self.share * Double(count)) }

    /// A message is late.
    /// - Parameter count: those that are waited for already.
    /// - Returns: whether it is waited for beside the others.
    mutating func mayWait(beside count: Int) -> Bool {
        guard count < limit, credit >= 1 else { return false }
        credit -= 1
        return true
    }
}
