import Broker
import Ledger
import Logging
import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Streams that collectors read as members of one consumer group.
protocol CollectedStreams: Sendable {
    associatedtype Entry: CollectedEntry

    /// The run id of the server that entries are read from.
    func serverRun() async throws(RedisError) -> String
    /// Reads entries, about `count` in all, waiting for the first at most `block`; nil does not wait.
    func read(consumer: String, count: Int, block: Duration?) async throws(RedisError) -> [Entry]
    /// Entries that this consumer read and did not confirm, before it was started again.
    func readUnconfirmed(consumer: String, count: Int) async throws(RedisError) -> [Entry]
    /// Takes over entries that any collector read and did not confirm for as long as `idle`: it died.
    func claimAbandoned(by consumer: String, idle: Duration, count: Int) async throws(RedisError) -> [Entry]
    func close() async
}

protocol CollectedEntry: Sendable {
    /// Bytes of its fields.
    var bytes: Int { get }
}

extension StatusStreams: CollectedStreams {}
extension StatusStreams.Entry: CollectedEntry {}
extension PackedStreams: CollectedStreams {}
extension PackedStreams.Entry: CollectedEntry {}

/// How a collector reads.
struct CollectorReading: Sendable {
    /// What the entries are to people, in the plural, such as `results`: the loss of results weighs far more than that of visits.
    var entries: String
    /// Names the collector in Redis; unique to the process.
    var name: String
    /// Entries in a transaction, about.
    var limit: Int
    /// How long entries that another collector read must have waited before they are taken over.
    var abandoned: Duration
    var clocks: Clocks
}

/// Whose mailings this Redis holds: nothing of another ledger's is collected.
struct LedgerOwnership: Sendable {
    let identity: LedgerIdentity
    let epochs: EpochStore
    let ledger: any LeadershipStore & CopyStore

    func owner() async throws(RedisError) -> CollectorState.Owner { try await identity.owner(of: epochs, ledger: ledger) }
    func noteOlderCopy() async throws(RedisError) { try await identity.noteOlderCopy(epochs, ledger) }
}

/// What collectors of all streams do: entries are read, written into the ledger, many in one transaction, and confirmed to Redis only then.
struct CollectingLoop<Streams: CollectedStreams>: Sendable {
    /// Writes entries into the ledger and confirms them to Redis; false when the process was cut short: the entries then stay in Redis.
    typealias Taking = ([Streams.Entry]) async throws(RedisError) -> Bool

    private let broker: Broker
    /// For reads that block; closed to end one.
    private let blocking: Streams
    private let streams: Streams
    private let reading: CollectorReading
    private let ownership: LedgerOwnership
    private let logger: Logger
    /// Bytes of the entries of a read, about.
    private static var bytesAtOnce: Int { 32 << 20 }

    init(
        _ broker: Broker, blocking: Streams, _ streams: Streams, _ reading: CollectorReading, _ ownership: LedgerOwnership, logger: Logger
    ) {
        self.broker = broker
        (self.blocking, self.streams) = (blocking, streams)
        (self.reading, self.ownership) = (reading, ownership)
        self.logger = logger
    }

    /// Collects until a graceful shutdown, and then what is still there.
    /// - Parameter beforeStep: is called again and again.
    func run(take: Taking, beforeStep: () async -> Void) async {
        let stopping = Atomic<Bool>(false)
        let (stop, end) = (WakeSignal(), WakeSignal())
        let wake = WakeStream(broker, for: .workers)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                // A read that blocks is ended by closing its connection; what it may have been given then is read again.
                group.addTask {
                    await stop.wait(atMost: nil)
                    await blocking.close()
                    await wake.close()
                }
                await collect(wake, end, take, beforeStep) { stopping.load(ordering: .relaxed) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
            stop.notify()
            end.notify()
        }
    }

    /// Collects what is left in Redis, whoever read it, and returns.
    /// - Parameter streams: with a connection of its own, as the others are closed.
    /// - Returns: whether all is in the ledger.
    func drain(_ streams: Streams, take: Taking) async -> Bool {
        var isDrained = false
        do throws(RedisError) {
            while try await ownership.owner() == .ours {
                try await ownership.noteOlderCopy()
                var entries = try await streams.claimAbandoned(by: reading.name, idle: .zero, count: reading.limit)
                if entries.isEmpty { entries = try await streams.read(consumer: reading.name, count: reading.limit, block: nil) }
                isDrained = entries.isEmpty
                guard !entries.isEmpty, try await take(entries) else { break }
            }
        } catch {
            logger.error("\(reading.entries) are left in Redis: \(error)")
        }
        return isDrained
    }

    /// - Parameter end: notified at the graceful shutdown.
    private func collect(
        _ wake: WakeStream, _ end: WakeSignal, _ take: Taking, _ beforeStep: () async -> Void, isStopping: () -> Bool
    ) async {
        var wake = wake
        var state = CollectorState(limit: reading.limit, at: reading.clocks.now)
        var entries: [Streams.Entry] = []
        var backoff = Backoff()
        // Fewer where entries are large.
        var limit = reading.limit
        while !Task.isCancelled {
            await beforeStep()
            let step = state.next(at: reading.clocks.now, isStopping: isStopping())
            do throws(RedisError) {
                var more: [Streams.Entry] = []
                switch step {
                case .end: return
                case .checkOwner:
                    let owner = try await ownership.owner()
                    if !state.note(owner: owner) { entries = [] }
                    if owner == .ours { try await ownership.noteOlderCopy() }
                case .waitForOwner(let owner):
                    await wait(for: owner, &wake, end)
                    state.noteWait()
                case .read(let time):
                    if state.note(run: try await blocking.serverRun()) { continue }
                    more = try await blocking.read(consumer: reading.name, count: limit, block: time)
                case .readUnconfirmed, .claimAbandoned, .readMore, .readRest: more = try await read(step, limit)
                case .write:
                    guard try await take(entries) else { return }
                    entries = []
                    state.noteWritten()
                }
                if !more.isEmpty {
                    let size = max(1, more.reduce(0) { $0 + $1.bytes } / more.count)
                    limit = max(1, min(reading.limit, Self.bytesAtOnce / size))
                }
                entries += more
                state.note(more.count, of: step, at: reading.clocks.now)
                backoff = Backoff()
            } catch {
                entries = []
                state.noteFailure()
                // The read that was under way has been ended.
                if case .read = step, isStopping() { continue }
                logger.warning("\(reading.entries) cannot be read from Redis or confirmed, trying again: \(error)")
                if isStopping(), backoff.count > 5 {
                    return logger.error("\(reading.entries) are left in Redis: they are collected at the next start")
                }
                guard await backoff.wait() else { return }
            }
        }
    }

    /// Reads entries without blocking, as a step says.
    private func read(_ step: CollectorState.Step, _ limit: Int) async throws(RedisError) -> [Streams.Entry] {
        let name = reading.name
        switch step {
        case .readUnconfirmed: return try await streams.readUnconfirmed(consumer: name, count: limit)
        case .claimAbandoned: return try await streams.claimAbandoned(by: name, idle: reading.abandoned, count: limit)
        case .readMore(let time):
            try? await Task.sleep(for: time)
            // A failure here must not drop the entries of the first read.
            return (try? await blocking.read(consumer: name, count: limit, block: nil)) ?? []
        case .readRest: return try await streams.read(consumer: name, count: limit, block: nil)
        case .end, .checkOwner, .waitForOwner, .read, .write: return []
        }
    }

    /// Waits until Redis may hold our mailings: an epoch has begun, or a time has passed.
    private func wait(for owner: CollectorState.Owner, _ wake: inout WakeStream, _ end: WakeSignal) async {
        guard owner == .nobody else {
            await end.wait(atMost: Timing.fallback)
            return
        }
        let clocks = reading.clocks
        let deadline = clocks.now + Timing.fallback
        while clocks.now < deadline, !Task.isCancelled {
            guard let events = try? await wake.next(atMost: deadline - clocks.now) else {
                await end.wait(atMost: .milliseconds(100))
                return
            }
            if events.contains(.epoch) || events.contains(.other) { return }
        }
    }
}
