import Ledger
import Logging
import Model
import Policy

/// Mailings that wait for the planner of a newer release. It logs that once a minute: only a person can start one.
struct NewerMailings {
    /// How many there were at the last check.
    private(set) var count = 0
    private var line = RepeatedLine()

    /// Takes the result of a check.
    /// - Parameter now: nanoseconds of CLOCK_MONOTONIC.
    /// - Returns: whether there are more of them than before.
    mutating func note(_ found: [UnreadableMailing], at now: Int64, _ logger: Logger) -> Bool {
        defer { count = found.count }
        guard let first = found.first else { return false }
        if line.add(at: now) != nil {
            let more = found.count > 1 ? "; \(found.count - 1) more wait like it" : ""
            logger.warning("\(first.error)\(more)", metadata: ["mailing": "\(first.id)"])
        }
        return found.count > count
    }
}
