import NIOCore

/// Counts lost connections, and says when to tell of them: of the first at once, then of all since in one line every
/// ten seconds at most.
struct SMTPConnectionLossLog: Sendable {
    static let interval = TimeAmount.seconds(10)

    private var count = 0
    private var lastTold: NIODeadline?

    /// - Returns: how many were lost since the last time that they were told; nil while it is too early to tell.
    mutating func add(at now: NIODeadline) -> Int? {
        count += 1
        if let lastTold, now - lastTold < Self.interval { return nil }
        lastTold = now
        defer { count = 0 }
        return count
    }

    /// - Parameter count: from 1.
    static func text(_ count: Int) -> String {
        count == 1 ? "SMTP connection lost" : "\(count) SMTP connections lost, the last one"
    }
}
