import Model
import Synchronization

/// Work for a connection, and the task that waits for it.
struct SMTPJob: Sendable {
    enum Work: Sendable {
        case deliver(SMTPGroupDelivery, CheckedContinuation<[ProviderResponse?], Never>)
        case prepare(CheckedContinuation<Result<ProviderCapabilities, TransportError>, Never>)
        /// What is left of a run whose task has gone on without it, by place in the group.
        case late([Int: LateResponse])
    }

    /// Connections in a row that may fail without a response to any of the run's messages.
    static let backoff = 3

    var work: Work
    let stop: SMTPCancellation
    /// Connections that failed so since the last response.
    var failedConnections = 0

    init(_ work: Work, stop: SMTPCancellation) {
        self.work = work
        self.stop = stop
    }

    /// Hands back the responses so far.
    func finish() {
        switch work {
        case .deliver(let run, let waiter): waiter.resume(returning: run.responses)
        case .prepare(let waiter):
            waiter.resume(
                returning: .failure(
                    TransportError(description: "the transport is closed", action: .reconnect, stage: .connect)))
        case .late(let responses): for response in responses.values { response.resolve(nil) }
        }
    }

    /// Gives the messages that are left a failure, and hands back all responses.
    /// - Parameter isStarted: the next message's envelope had been sent.
    func giveUp(_ failure: SMTPFailure, of provider: Provider, isStarted: Bool) {
        switch work {
        case .deliver(var run, let waiter):
            run.giveUp(failure, isStarted: isStarted)
            waiter.resume(returning: run.responses)
        case .prepare(let waiter): waiter.resume(returning: .failure(failure.error(of: provider)))
        case .late: finish()
        }
    }

    /// Whether it continues on another connection after its own one failed: as long as that one answered something, and a few times
    /// more where the server was merely gone, had enough of the connection, or offers too little on it. A server that asks us to slow down
    /// is not asked again at once.
    /// - Parameter wasUseful: the connection had finished earlier jobs: it may have been closed while it was idle.
    mutating func goesOn(after failure: SMTPFailure, wasUseful: Bool) -> Bool {
        guard case .deliver(let run, _) = work, !run.isOver else { return false }
        if run.isAnswered {
            failedConnections = 0
            return true
        }
        // The run itself counts the connections that it leaves.
        if failure.offersTooLittle { return true }
        guard failure.action == .reconnect || wasUseful && failure.stage == .mail else { return false }
        if !wasUseful { failedConnections += 1 }
        return failedConnections < Self.backoff
    }
}

/// Says that the task that waits for a job was cancelled.
final class SMTPCancellation: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .sequentiallyConsistent) }
}
