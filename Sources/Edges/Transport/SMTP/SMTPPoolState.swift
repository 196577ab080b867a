import DequeModule
import NIOCore

/// The state machine of a pool: the connections to a provider, and the jobs that wait for one. Each call returns what the pool has
/// to do. Times and random numbers are parameters.
struct SMTPPoolState<Job: Sendable, Connection: Sendable>: Sendable {
    enum Action {
        case give(Job, Connection)
        case open(Int)
        /// Give these jobs a failure: there is no connection.
        case refuse([Job], SMTPFailure)
        /// Hand these jobs back as not started: the transport is closed.
        case drop([Job])
        /// Call `woken` then.
        case wake(NIODeadline)
        case quit(Connection)
        /// End it in the middle of its work.
        case cut(Connection)
        /// The last connection is gone after `close`.
        case gone
    }

    /// What a connection does next.
    enum Next {
        case take(Job)
        /// Nothing, until it is given a job.
        case idle
        case quit
    }

    /// What a connection that is gone says about the provider.
    enum Outcome {
        /// It worked: messages were answered before it ended.
        case fruitful
        /// It was of no use: further ones are tried after a wait.
        case failed
        /// Nothing: it was not in use, or may have been closed before it was.
        case quiet
    }

    let limit: Int
    private var waiting: Deque<Job> = []
    private var connections: [Int: Connection] = [:]
    /// Connections without work, the last used at the end. Those at the front grow old and are closed.
    private var idle: [Int] = []
    private var opening: Set<Int> = []
    private var lastID = 0
    private var backoff = SMTPBackoff()
    private var isWakeSet = false
    private(set) var isClosed = false

    /// - Parameter limit: connections at most, from 1.
    init(limit: Int) { self.limit = max(1, limit) }

    /// Connections that are ready for work or at it.
    var open: Int { connections.count }

    /// Takes a new job.
    mutating func add(_ job: Job, now: NIODeadline) -> [Action] {
        guard !isClosed else { return [.drop([job])] }
        if let id = idle.popLast(), let connection = connections[id] { return [.give(job, connection)] }
        waiting.append(job)
        return openWhereNeeded(now: now)
    }

    /// A connection is ready for its first job.
    mutating func opened(_ id: Int, _ connection: Connection) -> Next {
        opening.remove(id)
        connections[id] = connection
        return next(for: id)
    }

    /// A connection finished its job.
    /// - Parameter isFruitful: the server answered a message: the provider works.
    mutating func freed(_ id: Int, isFruitful: Bool, now: NIODeadline) -> (next: Next, actions: [Action]) {
        if isFruitful { backoff.succeeded() }
        let next = next(for: id)
        return (next, waiting.isEmpty ? [] : openWhereNeeded(now: now))
    }

    private mutating func next(for id: Int) -> Next {
        if isClosed { return .quit }
        if let job = waiting.popFirst() { return .take(job) }
        idle.append(id)
        return .idle
    }

    /// A connection could not be opened. Where no other is open or opening, all jobs that wait are refused.
    mutating func failedToOpen(_ id: Int, _ failure: SMTPFailure, now: NIODeadline, jitter: Double) -> [Action] {
        opening.remove(id)
        backoff.failed(at: now, jitter: jitter)
        guard !isClosed else { return [] }
        if connections.isEmpty, opening.isEmpty, !waiting.isEmpty {
            defer { waiting.removeAll() }
            return [.refuse(Array(waiting), failure)]
        }
        return openWhereNeeded(now: now)
    }

    /// A connection is gone.
    /// - Parameters:
    ///   - leftover: the job that goes on elsewhere, before all others.
    mutating func lost(_ id: Int, leftover: Job?, outcome: Outcome, now: NIODeadline, jitter: Double) -> [Action] {
        connections[id] = nil
        if let place = idle.firstIndex(of: id) { idle.remove(at: place) }
        switch outcome {
        case .fruitful: backoff.succeeded()
        case .failed: backoff.failed(at: now, jitter: jitter)
        case .quiet: break
        }
        return (leftover.map { putBack($0, now: now) } ?? []) + (isClosed && connections.isEmpty ? [.gone] : [])
            + (isClosed ? [] : openWhereNeeded(now: now))
    }

    /// A job could not be started by the connection that it was given to.
    mutating func putBack(_ job: Job, now: NIODeadline) -> [Action] {
        guard !isClosed else { return [.drop([job])] }
        if let id = idle.popLast(), let connection = connections[id] { return [.give(job, connection)] }
        waiting.prepend(job)
        return openWhereNeeded(now: now)
    }

    /// An idle connection wants to leave.
    /// - Returns: whether it may; if not, a job is on its way to it.
    mutating func retire(_ id: Int) -> Bool {
        guard let place = idle.firstIndex(of: id) else { return false }
        idle.remove(at: place)
        return true
    }

    /// Takes a waiting job away.
    mutating func withdraw(where matches: (Job) -> Bool) -> Job? {
        guard let place = waiting.firstIndex(where: matches) else { return nil }
        return waiting.remove(at: place)
    }

    mutating func woken(now: NIODeadline) -> [Action] {
        isWakeSet = false
        return isClosed ? [] : openWhereNeeded(now: now)
    }

    /// Closes the pool: no job starts any more, and idle connections quit. `gone` follows the last connection in use.
    mutating func close() -> [Action] {
        isClosed = true
        defer {
            waiting.removeAll()
            idle.removeAll()
        }
        return [.drop(Array(waiting))] + idle.compactMap { connections[$0].map { .quit($0) } }
            + (connections.isEmpty ? [.gone] : [])
    }

    /// Ends at once: `gone` comes when each connection has said that it is lost.
    mutating func abort() -> [Action] {
        isClosed = true
        defer {
            waiting.removeAll()
            idle.removeAll()
        }
        return [.drop(Array(waiting))] + connections.values.map { .cut($0) } + (connections.isEmpty ? [.gone] : [])
    }

    /// Opens as many connections as jobs wait, within the limit; after a failure one at a time until a message was
    /// answered.
    private mutating func openWhereNeeded(now: NIODeadline) -> [Action] {
        guard waiting.count > opening.count, connections.count + opening.count < limit else { return [] }
        if backoff.holds(at: now) {
            guard !isWakeSet else { return [] }
            isWakeSet = true
            return [.wake(backoff.until)]
        }
        let wanted = backoff.failures > 0 ? 1 - opening.count : waiting.count - opening.count
        var actions: [Action] = []
        while actions.count < wanted, connections.count + opening.count < limit {
            lastID += 1
            opening.insert(lastID)
            actions.append(.open(lastID))
        }
        return actions
    }
}
