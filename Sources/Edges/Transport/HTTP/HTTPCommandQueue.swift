import CCurl
import Glibc
import Model
import Synchronization

/// Commands for the transport's thread. Any thread may add one; the transport's thread is woken only when it sleeps and would act on
/// the command.
final class HTTPCommandQueue: Sendable {
    struct Commands {
        var submissions: [HTTPSubmission] = []
        var probes: [CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>] = []
        var isClosing = false
        /// Messages in flight are not waited for.
        var isAborting = false
        var isEmpty: Bool { submissions.isEmpty && probes.isEmpty }
    }

    /// Why there is no thread any more, or never was one.
    enum End {
        case closed
        case failed(TransportError)
    }

    private enum Sleep { case awake, asleep, asleepWithoutRoom }

    private struct State {
        var commands = Commands()
        var sleep = Sleep.awake
        var end: End?
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    /// An eventfd(2) that is readable when the thread is to wake up.
    let bell: Int32

    init() { bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }

    deinit {
        if bell >= 0 { Glibc.close(bell) }
    }

    func submit(_ submission: HTTPSubmission) {
        let end = state.withLock { state in
            if state.end == nil {
                state.commands.submissions.append(submission)
                wake(&state, evenWithoutRoom: false)
            }
            return state.end
        }
        if let end { submission.refuse(end) }
    }

    func probe(_ continuation: CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>) {
        let end = state.withLock { state in
            if state.end == nil {
                state.commands.probes.append(continuation)
                wake(&state, evenWithoutRoom: true)
            }
            return state.end
        }
        if let end { continuation.resume(returning: .failure(end.error)) }
    }

    /// Tells the thread to end, without waiting for it.
    func close() {
        state.withLock { state in
            state.commands.isClosing = true
            wake(&state, evenWithoutRoom: true)
        }
    }

    /// Tells the thread to end at once.
    func abort() {
        state.withLock { state in
            state.commands.isClosing = true
            state.commands.isAborting = true
            wake(&state, evenWithoutRoom: true)
        }
    }

    /// Tells the thread to end; `continuation` is resumed when it has.
    func close(_ continuation: CheckedContinuation<Void, Never>) {
        let hasEnded = state.withLock { state in
            guard state.end == nil else { return true }
            state.closers.append(continuation)
            return false
        }
        if hasEnded { continuation.resume() } else { close() }
    }

    private func wake(_ state: inout State, evenWithoutRoom: Bool) {
        switch state.sleep {
        case .awake: return
        case .asleepWithoutRoom where !evenWithoutRoom: return
        case .asleep, .asleepWithoutRoom:
            state.sleep = .awake
            eventfd_write(bell, 1)
        }
    }

    // The thread's side.

    /// What has come since the last call.
    func take() -> Commands {
        state.withLock { state in
            state.sleep = .awake
            defer {
                state.commands = Commands(
                    isClosing: state.commands.isClosing, isAborting: state.commands.isAborting)
            }
            return state.commands
        }
    }

    /// Notes that the thread is about to sleep, and may be woken by the bell.
    /// - Parameters:
    ///   - hasRoom: whether it could begin a message if there were one.
    ///   - knowsClosing: whether it acts on `close` already; `abort` leaves nothing to sleep for.
    /// - Returns: false where it must not sleep, as something has come.
    func fallAsleep(hasRoom: Bool, knowsClosing: Bool) -> Bool {
        state.withLock { state in
            guard state.commands.isEmpty, state.commands.isClosing == knowsClosing, !state.commands.isAborting else {
                return false
            }
            state.sleep = hasRoom ? .asleep : .asleepWithoutRoom
            return true
        }
    }

    func quietBell() {
        var count: eventfd_t = 0
        eventfd_read(bell, &count)
    }

    /// The thread ends: every command, waiting or yet to come, gets `reason`.
    func end(_ reason: End) {
        let last = state.withLock { state in
            state.end = reason
            defer { state = State(end: reason) }
            return state
        }
        for submission in last.commands.submissions { submission.refuse(reason) }
        for probe in last.commands.probes { probe.resume(returning: .failure(reason.error)) }
        for closer in last.closers { closer.resume() }
    }
}

extension HTTPCommandQueue.End {
    fileprivate var error: TransportError {
        switch self {
        case .closed: .closed
        case .failed(let error): error
        }
    }
}

extension TransportError {
    static let closed = TransportError(
        description: "the transport was closed; nothing more can be sent by it", action: .reconnect, stage: .connect)
}

extension HTTPSubmission {
    /// Hands back a group that was not started: nil for each message when the transport was closed, the reason otherwise.
    fileprivate func refuse(_ reason: HTTPCommandQueue.End) {
        let response: ProviderResponse? =
            switch reason {
            case .closed: nil
            case .failed(let error): ProviderResponse(action: error.action, stage: error.stage, code: 0, text: error.description)
            }
        continuation.resume(returning: Array(repeating: response, count: group.messages.count))
    }
}
