package import Model

/// What a worker or the dispatcher wakes up for.
package enum WakeEvent: Sendable, Equatable {
    /// A lane has new batches (for workers), or runs low (for the dispatcher).
    case lane(Lane)
    /// A mailing's state, speed or definition was published.
    case mailing(MailingID)
    /// The limits were published.
    case limits
    /// An epoch was begun.
    case epoch
    /// Workers were admitted.
    case admitted
    /// A worker is new and waits to be admitted, or has left.
    case worker
    /// An event of a newer release: everything is checked.
    case other

    /// The command that adds it to a stream.
    func command(_ stream: String, atMost length: Int) -> [RedisArgument] {
        let (kind, name): (String, String) =
            switch self {
            case .lane(let lane): ("lane", "\(lane)")
            case .mailing(let id): ("mailing", "\(id)")
            case .limits: ("limits", "")
            case .epoch: ("epoch", "")
            case .admitted: ("admitted", "")
            case .worker: ("worker", "")
            case .other: ("other", "")
            }
        return [
            "XADD", .text(stream), "MAXLEN", "~", RedisArgument(length), "*", "v", RedisArgument(WireVersion.current), "k", .text(kind),
            "n", .text(name),
        ]
    }

    init(_ entry: StreamEntry) {
        let name = entry.text("n")
        self =
            switch entry.text("k") {
            case "lane": Lane(name).map { .lane($0) } ?? .other
            case "mailing": MailingID(name).map { .mailing($0) } ?? .other
            case "limits": .limits
            case "epoch": .epoch
            case "admitted": .admitted
            case "worker": .worker
            default: .other
            }
    }
}

/// A wake-up stream: small entries that tell whoever blocks on it where there is work. One blocking read serves any number of lanes.
/// Nothing depends on it: whoever waits also checks every few seconds, and so finds what a trimmed or lost entry would have announced.
package struct WakeStream: Sendable {
    /// Whom a stream wakes.
    package enum Reader: Sendable { case workers, dispatcher }

    private let reader: RedisClient
    private let key: String
    /// The id after which the next read begins; nil before the first.
    private var last: String?

    package init(_ broker: Broker, for whom: Reader) {
        key = whom == .workers ? broker.keys.wake : broker.keys.demand
        reader = broker.redis.forBlocking("wake")
    }

    package func close() async { await reader.close() }

    /// Waits for entries, at most `block`.
    /// - Returns: the events, in order; empty when there were none in time. The first call returns at once with `.other`, and again after
    ///   an error: look at everything then.
    package mutating func next(atMost block: Duration) async throws(RedisError) -> [WakeEvent] {
        guard let from = last else {
            let newest = try await reader.send(["XREVRANGE", .text(key), "+", "-", "COUNT", "1"])
            last = newest.array?.first?.array?.first?.text ?? "0-0"
            return [.other]
        }
        do throws(RedisError) {
            let reply = try await reader.send(
                [
                    "XREAD", "COUNT", "1000", "BLOCK", RedisArgument(max(1, block.nanoseconds / 1_000_000)), "STREAMS", .text(key),
                    .text(from),
                ], blocking: block)
            let entries = try StreamEntry.list(reply)
            if let newest = entries.last?.id { last = newest }
            return entries.map(WakeEvent.init)
        } catch {
            // Check everything: entries were added meanwhile, or this is another Redis.
            last = nil
            throw error
        }
    }
}
