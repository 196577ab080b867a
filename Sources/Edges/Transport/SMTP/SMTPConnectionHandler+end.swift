import Model
import NIOCore
import NIOSSL

/// How a connection ends: the pool learns once what became of it and of its job.
extension SMTPConnectionHandler {
    /// Ends in good order, where nothing is under way.
    func quit() {
        guard !isEnded, dialogue.expects == .nothing else { return end() }
        sayGoodbye()
        flush()
    }

    func sayGoodbye() {
        write { dialogue, out in dialogue.quit(into: &out) }
        timer?.wait(until: .now() + .time(dialogue.replyTime))
    }

    /// Ends now, whatever is under way.
    func cut() {
        guard !isEnded else { return }
        isCut = true
        fail(.cut(at: dialogue.stage))
    }

    func fail(_ failure: SMTPFailure) {
        var failure = failure
        if deadlines.isHandshaking, !isCut { failure.stage = .tls }
        dialogue.end(failure)
        end()
    }

    /// Closes, and tells the pool what became of the job.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        timer?.cancel()
        if dialogue.failure?.isPolite == true { flush() }
        if dialogue.failure == nil { context?.close(promise: nil) } else { closeSocket() }
        if isAdopted { report() }
    }

    /// Closes without a word. TLS would first send what is still to be sent, and a text that was given up might arrive.
    private func closeSocket() {
        guard let context else { return }
        let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self)
        (tls ?? context).close(promise: nil)
    }

    func report() {
        let failure = dialogue.failure ?? SMTPFailure(action: .reconnect, stage: .connect, text: "the connection is closed")
        guard isOpen else { return pool.failedToOpen(id, failure) }
        guard var job else { return pool.lost(id, isAnswered: endsAnswered) }
        self.job = nil
        switch job.work {
        case .deliver(_, let waiter):
            job.work = .deliver(dialogue.takeRun(), waiter)
            if isCut { pool.cut(id, job) } else { pool.lost(id, job, failure, wasUseful: isUseful) }
        case .late(let responses):
            resolve(responses, dialogue.takeRun())
            pool.lost(id, isAnswered: endsAnswered)
        // Such a job is done as soon as it is taken.
        case .prepare: pool.lost(id, isAnswered: endsAnswered)
        }
    }
}
