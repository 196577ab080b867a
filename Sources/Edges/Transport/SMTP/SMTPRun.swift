import Model

/// A group on its way through connections: which messages have their responses, and where to go on.
struct SMTPRun: Sendable {
    let group: MessageGroup
    let mayBegin: @Sendable () -> Bool
    /// A response a message; nil where there is none yet.
    var responses: [ProviderResponse?]
    /// The first message that is not begun; each before it is answered, or on the wire of the connection that has the
    /// run.
    var next = 0
    /// `mayBegin` said no: nothing more of this group begins.
    var isStopped = false
    /// The moment that the next message has under its limit, and waits for.
    var startsAt: Int64?
    /// The server answered a message, otherwise than by closing on us all (421), since the run came to its connection.
    var isFruitful = false

    init(_ group: MessageGroup, mayBegin: @escaping @Sendable () -> Bool) {
        self.group = group
        self.mayBegin = mayBegin
        responses = Array(repeating: nil, count: group.messages.count)
    }

    /// No run.
    static let none = SMTPRun(MessageGroup(sender: ""), mayBegin: { false })

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

    var isOver: Bool { isStopped || next == group.messages.count }

    /// Answers what is left by the failure that keeps it from being sent; nothing where no more was to begin anyway.
    /// - Parameter isBegun: the next message's envelope was on the wire when the connection failed.
    mutating func giveUp(_ failure: SMTPFailure, isBegun: Bool) {
        guard !isStopped else { return }
        // Who is asked to slow down has asked with one message: it alone has the response, and the others were not tried.
        var end = responses.count
        if failure.kind == .throttled {
            let isAnswered = next > 0 && responses[next - 1]?.kind == .throttled
            end = isAnswered ? next : min(next + 1, end)
        }
        for index in next..<end where responses[index] == nil {
            responses[index] = failure.response(isBegun: isBegun && index == next)
        }
        next = responses.count
    }
}
