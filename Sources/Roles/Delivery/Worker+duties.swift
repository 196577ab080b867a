import Broker
import Logging
import Model
import Policy
import Synchronization

extension Worker {
    /// Sends results that wait for others no longer than they may.
    func sendResults() async {
        let wait = worker.configuration.flush
        while !worker.isDone {
            for batch in worker.inFlight.all { await batch.buffer.flush(olderThan: wait) }
            if let due = worker.inFlight.all.compactMap({ $0.buffer.due(after: wait) }).min() {
                // Others that come meanwhile are due later; those that are due soon go together.
                do { try await Task.sleep(until: max(due, .now + wait / 2), clock: .continuous) } catch { return }
            } else {
                await worker.results.wait(atMost: nil)
            }
        }
    }

    /// Looks after what operators change, exchanges with the fleet what providers ask for, and passes on which mailings must be paused.
    func followPublished() async {
        var refreshed = ContinuousClock.now
        var distance = RedisDistance()
        var answered = worker.answered.load(ordering: .relaxed)
        while !worker.isStopping, !Task.isCancelled {
            do throws(RedisError) {
                while let (mailing, halt) = worker.nextHalt {
                    try await worker.status.send(halt, of: mailing)
                    worker.haltSent(mailing)
                }
                if await !mailings.isIdle {
                    try await mailings.exchange()
                    // What was published is told by the wake-up stream; this is for what was missed.
                    if ContinuousClock.now - refreshed >= Timing.fallback {
                        try await mailings.refresh()
                        refreshed = .now
                    }
                }
            } catch {
                worker.logger.debug("what was published cannot be read: \(error)")
            }
            if let warning = distance.warning(broker.redis.roundTrip, at: .now) { worker.logger.warning("\(warning)") }
            // Where nothing is answered, nobody asks to slow down.
            let now = worker.answered.load(ordering: .relaxed)
            let isBusy = now != answered || worker.transmitting.load(ordering: .relaxed) > 0
            answered = now
            await worker.published.wait(atMost: isBusy ? Timing.rateExchange : Timing.laneLook)
        }
    }
}
