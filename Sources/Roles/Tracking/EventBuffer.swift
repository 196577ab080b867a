package import Broker
package import Logging
package import Model
import ServiceLifecycle

/// Brings events from the tracker to Redis. An event is gathered with others for 20 ms and then sent; where Redis does not take it, it is
/// on disk a moment later. So the end of the process loses no more than that: 20 ms and a round trip of events, and 120 ms of them where
/// Redis has just become unavailable.
package final class EventBuffer: Service {
    private let senders: [EventSender]
    private let streams: EventStreams
    /// Held while events may be written to it.
    private let folder: SpoolFolder

    /// - Parameter limit: bytes of the spool at most.
    package init(_ streams: EventStreams, folder: SpoolFolder, limit: Int, bounds: EventQueue.Bounds = EventQueue.Bounds(), logger: Logger)
    {
        self.streams = streams
        self.folder = folder
        senders = (0..<EventStreams.count).map { number in
            EventSender(
                number, to: streams, spool: EventSpool(folder: folder.path, stream: number, limit: limit / EventStreams.count),
                source: .random(in: 1 ... .max), bounds: bounds, logger: logger)
        }
    }

    /// - Returns: whether it is kept; false where memory and spool are full.
    @discardableResult
    package func add(_ event: TrackedEvent) -> Bool { senders[EventStreams.number(of: event.mailing)].add(event) }

    /// Runs until graceful shutdown. Then it sends what is left, or leaves it in the spool: whoever adds events has to end before.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                for sender in self.senders { tasks.addTask { await sender.run() } }
            }
        }
        for sender in senders { await sender.finish() }
        await streams.close()
    }
}
