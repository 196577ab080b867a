/// Why a command gave no response.
package enum RedisError: Error, Sendable, CustomStringConvertible, Equatable {
    /// No connection could be had in time; the command was not sent.
    case unavailable(endpoint: String, why: String)
    /// The connection went away, or gave no response in time, after the command was sent: it may have been carried out.
    case lost(endpoint: String, why: String)
    /// Redis refused us: waiting will not help.
    case refused(endpoint: String, why: String)
    /// Redis answered this command with an error.
    case command(String)
    /// The reply has not the form that we expect of the command.
    case unexpected(String)
    /// The epoch is over, or the dispatcher's leadership is another's: the command changed nothing.
    case void
    case closed

    package var description: String {
        switch self {
        case .unavailable(let endpoint, let why):
            "Redis at \(endpoint) cannot be reached: \(why). Is it running, and is redis.url right?"
        case .lost(let endpoint, let why): "Redis at \(endpoint) is unavailable: \(why)"
        case .refused(let endpoint, let why):
            "Redis at \(endpoint) refuses us: \(why). Check redis.username and redis.password (or FLOTILLA_REDIS_PASSWORD)."
        case .command(let text): "Redis replied: \(text)"
        case .unexpected(let text): "Redis replied in an unexpected form: \(text)"
        case .void: "what this Redis held is void (it was emptied or started again), or another planner has the duty"
        case .closed: "the connection to Redis is closed"
        }
    }

    /// Redis is away, or busy with itself: it may be back in a while, with nothing changed by a person.
    package var isPassing: Bool {
        switch self {
        case .unavailable, .lost: true
        case .command(let text): ["LOADING", "BUSY", "MASTERDOWN", "OOM", "MISCONF"].contains { text.hasPrefix($0) }
        case .refused, .unexpected, .void, .closed: false
        }
    }
}
