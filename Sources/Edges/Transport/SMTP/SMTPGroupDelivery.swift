import Model

/// The delivery of one group over one or more connections: which messages have their responses, and which message is next.
struct SMTPGroupDelivery: Sendable {
    var group: MessageGroup
    let mayStart: @Sendable () -> Bool
    /// A response a message; nil where there is none yet.
    var responses: [ProviderResponse?]
    /// The first message that was not started. Each earlier one has its response, or is in flight on the current connection.
    var next = 0
    /// `mayStart` said no: no further message of this group starts.
    var isStopped = false
    /// The start time that the limit gave the next message, which waits for it.
    var startsAt: Int64?
    /// The server answered a message of this run on its current connection, other than by 421, which ends a connection.
    var isAnswered = false
    /// Whether a connection of the provider may offer SMTPUTF8 where the current one does not.
    var utf8Elsewhere = SMTPOffers.Elsewhere.never
    /// Connections that the next message has left because they cannot take it.
    var connectionsLeft = 0

    init(_ group: MessageGroup, mayStart: @escaping @Sendable () -> Bool) {
        self.group = group
        self.mayStart = mayStart
        responses = Array(repeating: nil, count: group.messages.count)
    }

    /// No run.
    static let none = SMTPGroupDelivery(MessageGroup(sender: ""), mayStart: { false })

    /// Whether the next message may start under the group's limit. Not ahead of a response that is still to come: a busy server would see
    /// it later than it was meant.
    mutating func start(ahead: Bool) -> Start {
        guard let limit = group.limit, limit.isActive else { return .now }
        if ahead { return .none }
        if let moment = startsAt {
            startsAt = nil
            if limit.use(moment) { return .now }
        }
        let start = limit.next()
        if case .at(let moment) = start { startsAt = moment }
        return start
    }

    /// Another connection may take what this one cannot.
    var seeksConnection: Bool { utf8Elsewhere != .never && connectionsLeft < SMTPOffers.connectionsToAsk }

    /// Messages that have their responses.
    var answered: Int { responses.count { $0 != nil } }

    var isOver: Bool { isStopped || next == group.messages.count }

    /// Gives the messages that are left the failure that keeps them from being sent; none where no further message was to start.
    /// - Parameter isStarted: the next message's envelope had been sent when the connection failed.
    mutating func giveUp(_ failure: SMTPFailure, isStarted: Bool) {
        guard !isStopped else { return }
        // A request to slow down answers one message. The others were not tried.
        var end = responses.count
        if failure.action == .slowDown {
            let wasSlowed = next > 0 && responses[next - 1]?.action == .slowDown
            end = wasSlowed ? next : min(next + 1, end)
        }
        for index in next..<end where responses[index] == nil {
            responses[index] = failure.response(isStarted: isStarted && index == next)
        }
        next = responses.count
    }
}
