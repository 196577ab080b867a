import Model
import NIOCore

/// Decides how long a connection waits for its server, and what follows once that time has passed. It keeps no timer: the handler does.
struct SMTPDeadlines: Sendable {
    /// How long a connection without work is kept; servers close theirs after five minutes (RFC 5321 section 4.5.3.2.7).
    static let idleTime = TimeAmount.seconds(30)

    /// What a connection does when its time has passed.
    enum Step: Sendable, Equatable {
        /// It had no work for long: it ends, unless the pool keeps it.
        case retire
        /// The moment of the next message has come.
        case start
        /// The server did not say goodbye in time.
        case end
        /// The response to a final dot is late: the group may go on without it. Where nobody can wait for it apart, look again then.
        case detach(until: NIODeadline, lookAgain: NIODeadline)
        /// The greeting takes longer than a connect may, and gets the rest of the time that a reply may take.
        case lateGreeting(limit: Duration, until: NIODeadline)
        /// The server did not respond within this time.
        case giveUp(after: Duration)
    }

    private let connectTimeout: Duration
    private let replyTimeout: Duration?
    private let finalTimeout: Duration
    /// TLS is being negotiated: the dialogue does not know of it.
    var isHandshaking: Bool
    private var isGreetingLate = false
    /// When the response to a final dot is given up, while it is only looked at whether it is late; nil where nobody can wait for it apart.
    private var finalEnd: NIODeadline?
    /// The dialogue's replies when the deadline was last set.
    private(set) var repliesSeen = 0

    init(_ provider: Provider, isHandshaking: Bool) {
        connectTimeout = provider.connectTimeout
        replyTimeout = provider.timeout
        finalTimeout = provider.finalTimeout
        self.isHandshaking = isHandshaking
    }

    /// The deadline of what the dialogue expects now; nil where it expects nothing, so that an earlier deadline stays.
    mutating func next(for dialogue: borrowing SMTPDialogue, now: NIODeadline) -> NIODeadline? {
        repliesSeen = dialogue.replies
        finalEnd = nil
        if let moment = dialogue.run.startsAt, dialogue.expects == .start { return .uptimeNanoseconds(UInt64(max(0, moment))) }
        guard dialogue.expects != .nothing, dialogue.expects != .closed else { return nil }
        // A second more for each 64 KiB of a large text.
        let extra = TimeAmount.seconds(Int64(dialogue.bytesUnderWay >> 16))
        let end = now + .time(responseTime(dialogue)) + extra
        guard dialogue.expects == .final, dialogue.run.group.detach != nil, !dialogue.run.isStopped else { return end }
        finalEnd = end
        return min(end, now + .nanoseconds(dialogue.settings.lateAfter) + extra)
    }

    /// What to do now that the deadline has passed.
    mutating func passed(_ dialogue: borrowing SMTPDialogue, now: NIODeadline) -> Step {
        switch dialogue.expects {
        case .nothing: return .retire
        case .start: return .start
        case .quit: return .end
        case .final:
            guard let finalEnd, finalEnd > now else { break }
            return .detach(until: finalEnd, lookAgain: min(finalEnd, now + .nanoseconds(dialogue.settings.lateAfter)))
        case .greeting where !isHandshaking && !isGreetingLate:
            let limit = fullTime(dialogue)
            guard limit > connectTimeout else { break }
            isGreetingLate = true
            return .lateGreeting(limit: limit, until: now + .time(limit - connectTimeout))
        default: break
        }
        return .giveUp(after: responseTime(dialogue))
    }

    /// The time that the server has for what is expected of it.
    private func responseTime(_ dialogue: borrowing SMTPDialogue) -> Duration {
        if isHandshaking { return connectTimeout }
        switch dialogue.expects {
        case .final: return finalTimeout
        case .greeting where !isGreetingLate: return min(connectTimeout, fullTime(dialogue))
        default: return fullTime(dialogue)
        }
    }

    private func fullTime(_ dialogue: borrowing SMTPDialogue) -> Duration {
        min(replyTimeout ?? dialogue.replyTime, dialogue.replyTime)
    }
}

extension TimeAmount {
    /// - Parameter duration: at most a day counts.
    static func time(_ duration: Duration) -> TimeAmount { .nanoseconds(max(.zero, min(duration, .seconds(86_400))).nanoseconds) }
}
