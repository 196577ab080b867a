import Broker
import Logging
import Model
import Policy
import Synchronization

extension Worker {
    /// Sends results that have waited as long as they may.
    func sendResults() async {
        let wait = worker.configuration.flush
        // Whoever is cancelled does not wait any more, and would only keep others from working.
        while !worker.isDone, !Task.isCancelled {
            for batch in worker.inFlight.all { await batch.buffer.flush(olderThan: wait) }
            if let due = worker.inFlight.all.compactMap({ $0.buffer.due(after: wait) }).min() {
                // Results that are due soon go together; later ones have their own turn.
                do { try await worker.clocks.sleep(until: max(due, worker.clocks.now + wait / 2)) } catch { return }
            } else {
                await worker.results.wait(atMost: nil)
            }
        }
    }

    /// Follows what operators change, exchanges adaptive rates with the fleet, passes on which mailings must be paused, and wakes whoever
    /// waits beyond a lifetime.
    func followPublished() async {
        let clocks = worker.clocks
        var refreshed = clocks.now
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
                    // The wake-up stream announces what was published; this finds what was missed.
                    if clocks.now - refreshed >= Timing.fallback {
                        try await mailings.refresh()
                        refreshed = clocks.now
                    }
                }
            } catch {
                worker.logger.debug("what was published cannot be read: \(error)")
            }
            // What waits for a reservation sees only then that its lifetime has ended.
            if worker.inFlight.noteExpired(at: worker.time.earliest) { worker.changes.notify() }
            if let warning = distance.warning(broker.redis.roundTrip, at: clocks.now) { worker.logger.warning("\(warning)") }
            // Without responses nobody asks to slow down.
            let now = worker.answered.load(ordering: .relaxed)
            let isBusy = now != answered || worker.transmitting.load(ordering: .relaxed) > 0
            answered = now
            await worker.published.wait(
                atMost: isBusy ? Timing.rateExchange : Timing.publishedPoll(mailings: await mailings.count))
        }
    }
}
