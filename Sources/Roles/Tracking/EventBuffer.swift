package import Broker
package import Logging
package import Model
import ServiceLifecycle

/// Brings events from the tracker to Redis. An event is gathered with others for 20 ms and then sent; where Redis does not take it, it is
/// on disk a moment later. So the end of the process loses no more than that: 20 ms and a round trip of events, and 120 ms of them where
/// Redis has just become unavailable.
///
/// Choices go a way of their own, with memory and spool of their own: however many links are followed, who unsubscribes does not wait
/// behind that, and finds room.
package final class EventBuffer: Service {
    /// By stream.
    private let visits: [EventSender]
    private let choices: [EventSender]
    private let streams: EventStreams
    /// Held while events may be written to it.
    private let folder: SpoolFolder

    /// - Parameter limit: bytes of the spool at most.
    package init(
        _ streams: EventStreams, folder: SpoolFolder, limit: Int, bounds: EventQueue.Bounds = EventQueue.Bounds(),
        clocks: Clocks = .system, logger: Logger
    ) {
        self.streams = streams
        self.folder = folder
        func senders(_ kind: EventSender.Kind, tenths: Int) -> [EventSender] {
            (0..<EventStreams.count).map { number in
                let spool = EventSpool(
                    folder: folder.path, name: "\(kind.rawValue)-\(number)", limit: limit / EventStreams.count / 10 * tenths)
                return EventSender(
                    kind, to: number, of: streams, spool: spool, source: .random(in: 1 ... .max), bounds: bounds.tenths(tenths),
                    clocks: clocks, logger: logger)
            }
        }
        visits = senders(.visits, tenths: 9)
        choices = senders(.choices, tenths: 1)
    }

    /// Keeps an event. Where more come than can be written, it waits for room, in its turn and a second at most.
    /// - Returns: whether it is kept; false where memory and spool are full.
    @discardableResult
    package func add(_ event: TrackedEvent) async -> Bool {
        let senders = event.action.isChoice ? choices : visits
        return await senders[EventStreams.number(of: event.mailing)].add(event)
    }

    /// Runs until graceful shutdown. Then it sends what is left, or leaves it in the spool: whoever adds events has to end before.
    package func run() async throws {
        let senders = choices + visits
        await withTaskExecutorPreference(ThreadExecutor("tracker-events")) {
            await cancelWhenGracefulShutdown {
                await withTaskGroup(of: Void.self) { tasks in for sender in senders { tasks.addTask { await sender.run() } } }
            }
        }
        for sender in senders { await sender.finish() }
        await streams.close()
    }
}
