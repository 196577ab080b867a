import Model
import NIOCore

/// Jobs of the pool: taking one, finishing it, and what comes next.
extension SMTPConnectionHandler {
    func take(_ job: SMTPJob) {
        guard !isEnded, self.job == nil else { return pool.putBack(job) }
        start(job)
        followSignals()
        flush()
    }

    /// The server is ready: the connection joins the pool.
    func becomeOpen() {
        guard let context, dialogue.failure == nil else { return }
        isOpen = true
        let connection = SMTPConnection(channel: context.channel, handler: NIOLoopBound(self, eventLoop: context.eventLoop))
        proceed(pool.opened(id, connection, offering: dialogue.capabilities))
    }

    /// Hands the responses to whoever waits for the job.
    func finish() {
        let run = dialogue.takeRun()
        guard let job else { return }
        self.job = nil
        isUseful = true
        switch job.work {
        case .deliver(_, let waiter): waiter.resume(returning: run.responses)
        case .late(let responses): resolve(responses, run)
        case .prepare: break
        }
        // A server may say goodbye behind its last response; then nothing more may begin here.
        guard dialogue.failure == nil else {
            endsAnswered = run.isAnswered
            return
        }
        proceed(pool.freed(id, answered: run.isAnswered ? run.answered : 0))
    }

    func resolve(_ responses: [Int: LateResponse], _ run: SMTPGroupDelivery) {
        for (index, response) in responses { response.resolve(run.responses[index]) }
    }

    /// The response to a final dot is late: whoever waits for the group continues without it.
    /// - Returns: false where nobody can.
    func detach() -> Bool {
        guard let job, case .deliver(_, let waiter) = job.work, let take = dialogue.run.group.detach, pool.park(id) else { return false }
        let late = Dictionary(uniqueKeysWithValues: dialogue.detach().map { ($0, LateResponse()) })
        for (index, response) in late { take(index, response) }
        self.job = SMTPJob(.late(late), stop: job.stop)
        waiter.resume(returning: dialogue.run.responses)
        return true
    }

    private func proceed(_ next: SMTPPool.Next) {
        switch next {
        case .take(let job): start(job)
        case .idle: timer?.wait(until: .now() + SMTPDeadlines.idleTime)
        case .quit: sayGoodbye()
        }
    }

    private func start(_ job: SMTPJob) {
        switch job.work {
        case .deliver(var run, let waiter):
            if let elsewhere = run.group.elsewhere, !run.group.suits(dialogue.capabilities.provider.extensions) {
                recompose(run, elsewhere, for: waiter, of: job)
                return proceed(pool.freed(id, answered: 0))
            }
            self.job = job
            run.utf8Elsewhere = pool.utf8
            write { dialogue, out in dialogue.begin(run, into: &out) }
            expectReply()
        case .prepare(let waiter):
            waiter.resume(returning: .success(dialogue.capabilities.provider))
            proceed(pool.freed(id, answered: 0))
        // It never leaves its connection.
        case .late: job.finish()
        }
    }

    /// Makes a job's texts fit for this server, while the connection takes other jobs. Afterwards it waits for a connection, as before.
    private func recompose(
        _ run: SMTPGroupDelivery, _ elsewhere: (@escaping @Sendable () -> Void) -> Void,
        for waiter: CheckedContinuation<[ProviderResponse?], Never>, of job: SMTPJob
    ) {
        let server = dialogue.capabilities.provider.extensions
        elsewhere { [pool] in
            var (run, job) = (run, job)
            run.group.suit(server)
            // Texts that suit no better are refused by the server, and do not come here again.
            if !run.group.suits(server) { run.group.elsewhere = nil }
            job.work = .deliver(run, waiter)
            pool.putBack(job)
        }
    }
}
