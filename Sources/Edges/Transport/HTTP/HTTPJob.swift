import Model

/// The delivery of one group by the transport's thread.
final class HTTPJob {
    let group: MessageGroup
    let submission: HTTPSubmission
    /// The group's texts at an address that stays: libcurl reads bodies from there.
    private let texts: UnsafeMutableRawBufferPointer
    private var responses: [ProviderResponse?]
    /// The next message to begin.
    private var next = 0
    /// Messages in flight.
    private var awaited = 0
    private(set) var tally = HTTPResponseCounts()

    init(_ submission: HTTPSubmission) {
        group = submission.group
        self.submission = submission
        texts = .allocate(byteCount: max(group.bytes.count, 1), alignment: 1)
        texts.copyBytes(from: group.bytes)
        responses = Array(repeating: nil, count: group.messages.count)
    }

    deinit { texts.deallocate() }

    enum Next {
        /// The message may begin at once, or at a moment of its own (`HTTPEngine.Armed`).
        case begin(Int, at: Int64?)
        /// There is none, or no more may begin.
        case none
    }

    /// The message to begin next.
    func beginNext() -> Next {
        guard next < group.messages.count else { return .none }
        guard submission.mayStart() else {
            stop()
            return .none
        }
        var moment: Int64?
        if let limit = group.limit, limit.isActive {
            switch limit.next() {
            case .now: break
            case .at(let time): moment = time
            case .none:
                stop()
                return .none
            }
        }
        defer { next += 1 }
        awaited += 1
        return .begin(next, at: moment)
    }

    /// Begins no more of its messages.
    func stop() { next = group.messages.count }

    func body(of index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: texts[group.messages[index].body])
    }

    /// - Parameter response: nil where the message was not sent for a reason of ours.
    func response(_ index: Int, _ response: ProviderResponse?) {
        responses[index] = response
        awaited -= 1
        if let response { tally.count(response) }
    }

    /// The response to a message is so late that it is waited for apart.
    /// - Returns: nil where nobody can.
    func detach(_ index: Int) -> LateResponse? {
        guard let take = group.detach else { return nil }
        let late = LateResponse()
        take(index, late)
        awaited -= 1
        return late
    }

    /// Gives those that were not begun a failure: there is no connection.
    func refuse(_ failure: ProviderResponse) {
        guard submission.mayStart() else { return stop() }
        while !isWhollyStarted {
            responses[next] = failure
            tally.count(failure)
            next += 1
        }
    }

    var isWhollyStarted: Bool { next == group.messages.count }
    var isDone: Bool { awaited == 0 && isWhollyStarted }

    /// Hands the responses back; once.
    func finish() { submission.continuation.resume(returning: responses) }
}

/// A group as it is handed to the transport's thread.
struct HTTPSubmission: Sendable {
    let group: MessageGroup
    let mayStart: @Sendable () -> Bool
    let continuation: CheckedContinuation<[ProviderResponse?], Never>
}
