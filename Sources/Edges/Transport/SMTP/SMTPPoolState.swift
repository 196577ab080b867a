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
        case answered
        /// It was of no use: further ones are tried after a wait.
        case failed
        /// The provider asked us to slow down, and ended it: the same where it has answered no message lately.
        case throttled
        /// Nothing: it was not in use, or may have been closed before it was.
        case quiet
    }

    /// How long a provider that answers nothing but requests to slow down counts as one that works.
    static var trust: TimeAmount { .seconds(1) }

    /// Connections at work at most.
    let limit: Int
    private var waiting: Deque<Job> = []
    private var connections: [Int: Connection] = [:]
    /// Connections without work, the last used at the end. Those at the front grow old and are closed.
    private var idle: [Int] = []
    private var opening: Set<Int> = []
    private var lastID = 0
    /// Connections that wait long for a response, and such as leave because others took their places: they do not count.
    private var parked: Set<Int> = []
    private var slow: SlowResponses
    private var backoff = ConnectBackoff()
    private var ceiling = SMTPCeiling()
    private var lastResponse: NIODeadline?
    private var wakeTime: NIODeadline?
    private(set) var isClosed = false

    /// - Parameters:
    ///   - limit: connections at work at most, from 1.
    ///   - late: connections beside these at most that wait for late responses.
    init(limit: Int, late: Int = .max) {
        self.limit = max(1, limit)
        slow = SlowResponses(connections: max(1, limit), atMost: late)
    }

    /// Connections that are ready for work or at it, or wait for a response.
    var open: Int { connections.count }
    private var atWork: Int { connections.count - parked.count }

    /// Takes a new job.
    mutating func add(_ job: Job, now: NIODeadline) -> [Action] {
        guard !isClosed else { return [.drop([job])] }
        if let id = idle.popLast(), let connection = connections[id] { return [.give(job, connection)] }
        waiting.append(job)
        return openWhereNeeded(now: now)
    }

    /// A connection is ready for its first job.
    mutating func opened(_ id: Int, _ connection: Connection, now: NIODeadline) -> (next: Next, actions: [Action]) {
        opening.remove(id)
        connections[id] = connection
        ceiling.opened(atWork)
        let next = next(for: id)
        return (next, isClosed ? [] : openWhereNeeded(now: now))
    }

    /// A connection finished its job.
    /// - Parameter answered: messages that the server answered on it: above 0 the provider works.
    mutating func freed(_ id: Int, answered: Int, now: NIODeadline) -> (next: Next, actions: [Action]) {
        if answered > 0 { noteResponse(at: now) }
        if parked.remove(id) == nil { slow.answered(answered) }
        let next = next(for: id)
        return (next, waiting.isEmpty ? [] : openWhereNeeded(now: now))
    }

    private mutating func noteResponse(at now: NIODeadline) {
        lastResponse = now
        backoff.succeeded()
    }

    /// A connection waits long for a response.
    /// - Returns: whether another may take its place, and what is to be done then.
    mutating func park(_ id: Int, now: NIODeadline) -> (isParked: Bool, actions: [Action]) {
        guard !isClosed, connections[id] != nil, !parked.contains(id), slow.mayWait(beside: parked.count) else { return (false, []) }
        parked.insert(id)
        return (true, openWhereNeeded(now: now))
    }

    private mutating func next(for id: Int) -> Next {
        if isClosed { return .quit }
        if atWork > limit {
            parked.insert(id)
            return .quit
        }
        if let job = waiting.popFirst() { return .take(job) }
        idle.append(id)
        return .idle
    }

    /// A connection could not be opened. Where no other is open or opening, all jobs that wait are refused.
    /// - Parameter fleet: workers that use the provider, from 1.
    mutating func failedToOpen(
        _ id: Int, _ failure: SMTPFailure, now: NIODeadline, jitter: Double, fleet: Int = 1
    ) -> [Action] {
        opening.remove(id)
        if connections.isEmpty {
            backoff.failed(at: now, jitter: jitter, fleet: fleet)
        } else {
            ceiling.refused(open: max(1, atWork), at: now, jitter: jitter, fleet: fleet)
        }
        guard !isClosed else { return [] }
        if connections.isEmpty, opening.isEmpty, !waiting.isEmpty {
            defer { waiting.removeAll() }
            return [.refuse(Array(waiting), failure)]
        }
        return openWhereNeeded(now: now)
    }

    /// A connection could not be opened in one way, and is to be opened in another.
    mutating func opensAgain(_ id: Int, now: NIODeadline) -> [Action] {
        opening.remove(id)
        return isClosed ? [] : openWhereNeeded(now: now)
    }

    /// A connection is gone.
    /// - Parameters:
    ///   - leftover: the job that continues on another connection, before all others.
    ///   - fleet: workers that use the provider, from 1.
    mutating func lost(
        _ id: Int, leftover: Job?, outcome: Outcome, now: NIODeadline, jitter: Double, fleet: Int = 1
    ) -> [Action] {
        connections[id] = nil
        parked.remove(id)
        if let place = idle.firstIndex(of: id) { idle.remove(at: place) }
        switch outcome {
        case .answered: noteResponse(at: now)
        case .throttled where lastResponse.map { now - $0 < Self.trust } ?? false: break
        case .failed, .throttled: backoff.failed(at: now, jitter: jitter, fleet: fleet)
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

    /// Removes a waiting job.
    mutating func withdraw(where matches: (Job) -> Bool) -> Job? {
        guard let place = waiting.firstIndex(where: matches) else { return nil }
        return waiting.remove(at: place)
    }

    mutating func woken(now: NIODeadline) -> [Action] {
        if let wakeTime, wakeTime <= now { self.wakeTime = nil }
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

    /// Opens as many connections as jobs wait, within the limit and what the provider takes: no more at once than are open already, and
    /// after a failure one at a time until a message was answered.
    private mutating func openWhereNeeded(now: NIODeadline) -> [Action] {
        guard waiting.count > opening.count, atWork + opening.count < limit else { return [] }
        if backoff.holds(at: now) { return wake(at: backoff.until) }
        let most = backoff.failures > 0 ? 1 : max(1, connections.count)
        var actions: [Action] = []
        while opening.count < min(most, waiting.count), atWork + opening.count < limit {
            guard ceiling.allows(atWork + opening.count, at: now) else { return actions + wake(at: ceiling.retry) }
            // A try beyond what the provider took is one at a time.
            if let count = ceiling.count, atWork + opening.count >= count, !opening.isEmpty { break }
            lastID += 1
            opening.insert(lastID)
            actions.append(.open(lastID))
        }
        return actions
    }

    private mutating func wake(at time: NIODeadline) -> [Action] {
        if let wakeTime, wakeTime <= time { return [] }
        wakeTime = time
        return [.wake(time)]
    }
}
