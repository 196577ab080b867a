import Broker
import Logging
import Model
import Policy

extension Worker {
    /// Blocks on the wake-up stream until that is closed, and passes each event on. What was missed is found by reading all lanes now and
    /// then.
    func wakeUp() async {
        var stream = wakeStream
        var backoff = Backoff()
        while !worker.isStopping, !Task.isCancelled {
            do throws(RedisError) {
                let events = try await stream.next(atMost: Timing.lanePoll(lanes: worker.prefetch.laneCount))
                backoff = Backoff()
                try await handle(events)
            } catch {
                worker.logger.debug("the wake-up stream cannot be read: \(error)")
                guard await backoff.wait(on: worker.changes, unless: { worker.isStopping }) else { break }
            }
        }
    }

    private func handle(_ events: [WakeEvent]) async throws(RedisError) {
        var changed: Set<MailingID> = []
        // No event in time, or events that one read cannot hold: read all lanes.
        var looksAtAll = events.isEmpty
        for event in events {
            switch event {
            case .lane(let lane): offer(lane)
            case .mailing(let id): changed.insert(id)
            case .limits: worker.published.notify()
            case .epoch, .admitted: worker.renewal.notify()
            case .worker, .other: looksAtAll = true
            }
        }
        if !changed.isEmpty { try await mailings.refresh(changed) }
        guard looksAtAll else { return }
        for lane in try await worker.queue.lanes() { offer(lane) }
        worker.prefetch.forget()
        // Events that one read cannot hold may have told of limits.
        if !events.isEmpty { worker.published.notify() }
    }

    private func offer(_ lane: Lane) {
        if worker.configuration.channels.contains(lane.channel) { worker.prefetch.offer(lane) }
    }
}
