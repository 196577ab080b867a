package import Logging
import Metrics
import Model
package import NIOCore
package import Policy
import Synchronization

/// A client that connects again whenever the connection was lost. Concurrent callers share one connection and are pipelined.
/// A call waits for a connection for at most the endpoint's timeout.
package final class RedisClient: Sendable {
    private struct State {
        var connection: RedisConnection?
        /// One caller connects, and the others wait for it.
        var isConnecting = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// Tries in a row that brought no connection, or one that was lost soon.
        var failures = 0
        /// When the connection was opened.
        var opened: ContinuousClock.Instant = .now
        /// No new try before this moment.
        var notBefore: ContinuousClock.Instant = .now
        var lastError: RedisError?
        var isClosed = false
    }

    package let endpoint: RedisEndpoint
    private let name: String
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex(State())
    private let roundTrips = Mutex(RoundTrip())
    private let timer = Metrics.Timer(label: "flotilla_redis_round_trip_seconds")
    /// Removes keys of a wrong type.
    private let repair: KeyRepair?
    private let reconnects = Counter(label: "flotilla_redis_reconnects_total")

    /// - Parameter name: shown by Redis in CLIENT LIST.
    package convenience init(endpoint: RedisEndpoint, name: String, group: any EventLoopGroup, logger: Logger) {
        self.init(endpoint: endpoint, name: name, group: group, logger: logger, repair: nil)
    }

    init(endpoint: RedisEndpoint, name: String, group: any EventLoopGroup, logger: Logger, repair: KeyRepair?) {
        self.repair = repair
        self.endpoint = endpoint
        self.name = name
        self.group = group
        self.logger = logger
    }

    /// Another client to the same Redis with a connection of its own, for reads that block.
    package func forBlocking(_ purpose: String) -> RedisClient {
        RedisClient(endpoint: endpoint, name: "\(name)-\(purpose)", group: group, logger: logger, repair: repair)
    }

    /// Sends one command.
    /// - Parameter blocking: how long the command itself may wait, beyond the endpoint's timeout.
    /// - Throws: `RedisError`; an error reply is `.command`.
    package func send(_ words: [RedisArgument], blocking: Duration = .zero) async throws(RedisError) -> RESPValue {
        let reply = try await pipeline([words], blocking: blocking)[0]
        if case .error(let text) = reply { throw .command(text) }
        return reply
    }

    /// Sends commands in one piece; error replies stand among the replies.
    package func pipeline(_ commands: [[RedisArgument]], blocking: Duration = .zero) async throws(RedisError) -> [RESPValue] {
        guard !commands.isEmpty else { return [] }
        let connection = try await connected()
        let run = connection.serverRun
        let bytes = RedisEncoder.encode(commands, run: run)
        let start = ContinuousClock.now
        let replies = try await connection.call(bytes, count: commands.count, timeout: endpoint.timeout + blocking)
        if let repair, KeyRepair.isNeeded(after: replies) { await repair.run(on: self) }
        guard blocking == .zero else { return replies }
        let took = ContinuousClock.now - start
        timer.recordNanoseconds(took.nanoseconds)
        roundTrips.withLock { $0.note(took) }
        return replies
    }

    /// How long replies have taken lately.
    package var roundTrip: RoundTrip { roundTrips.withLock { $0 } }

    /// The run id of the server, which differs after each of its starts.
    package func serverRun() async throws(RedisError) -> String { try await connected().serverRun }

    package func close() async {
        let (connection, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.connection = nil
                state.waiters = []
            }
            return (state.connection, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        await connection?.close()
    }

    private enum Step {
        case use(RedisConnection)
        case connect, waitForOther
        case backOff(Duration)
        case fail(RedisError)
    }

    private func connected() async throws(RedisError) -> RedisConnection {
        let deadline = ContinuousClock.now + endpoint.timeout
        while true {
            let step = state.withLock { state -> Step in
                if state.isClosed { return .fail(.closed) }
                if let connection = state.connection, !connection.isClosed { return .use(connection) }
                if state.isConnecting { return .waitForOther }
                let now = ContinuousClock.now
                let error = state.lastError ?? .unavailable(endpoint: "\(endpoint)", why: "no connection in time")
                if case .refused = error, state.notBefore > now { return .fail(error) }
                if state.notBefore >= deadline || now >= deadline { return .fail(error) }
                if state.notBefore > now { return .backOff(state.notBefore - now) }
                state.isConnecting = true
                return .connect
            }
            switch step {
            case .use(let connection): return connection
            case .fail(let error): throw error
            case .connect: try await connect()
            case .backOff(let wait):
                do { try await Task.sleep(for: wait) } catch { throw .closed }
            case .waitForOther:
                await withUnsafeContinuation { continuation in
                    let isOver = state.withLock { state in
                        guard state.isConnecting, !state.isClosed else { return true }
                        state.waiters.append(continuation)
                        return false
                    }
                    if isOver { continuation.resume() }
                }
            }
        }
    }

    private func connect() async throws(RedisError) {
        let outcome: Result<RedisConnection, RedisError>
        do throws(RedisError) {
            outcome = .success(
                try await RedisConnection.open(endpoint, name: name, on: group) { [weak self] connection, error in
                    self?.closed(connection, error)
                })
        } catch {
            outcome = .failure(error)
        }
        let (waiters, failures) = state.withLock { state in
            state.isConnecting = false
            switch outcome {
            case .success(let connection):
                state.connection = state.isClosed ? nil : connection
                state.opened = .now
                state.lastError = nil
            case .failure(let error): Self.fail(&state, error)
            }
            defer { state.waiters = [] }
            return (state.waiters, state.failures)
        }
        for waiter in waiters { waiter.resume() }
        if case .success = outcome, failures > 0 { reconnects.increment() }
        if case .success(let connection) = outcome, state.withLock({ $0.isClosed }) { await connection.close() }
        if case .failure(let error) = outcome {
            if failures == 1 || failures % 20 == 0 { logger.warning("\(error)", metadata: ["tries": "\(failures)"]) }
            if case .refused = error { throw error }
        }
    }

    private func closed(_ connection: RedisConnection, _ error: RedisError) {
        let failures = state.withLock { state -> Int? in
            guard state.connection === connection else { return nil }
            state.connection = nil
            // A server that accepts connections and then fails counts as none.
            if .now - state.opened >= Self.steady { (state.failures, state.notBefore) = (0, .now) }
            Self.fail(&state, error)
            return state.isClosed ? nil : state.failures
        }
        guard let failures, failures == 1 || failures % 20 == 0 else { return }
        logger.warning("\(error); connecting again", metadata: failures > 1 ? ["tries": "\(failures)"] : [:])
    }

    /// A connection that lasted so long was good.
    private static let steady = Duration.seconds(10)

    /// Notes a failure: the next try comes after 50 ms, 100 ms … 5 s, spread by half, so that a fleet does not come back in step.
    private static func fail(_ state: inout State, _ error: RedisError) {
        state.failures += 1
        state.lastError = error
        let wait = min(5, 0.05 * Double(1 << min(state.failures - 1, 10)))
        state.notBefore = .now + .seconds(wait * Double.random(in: 0.5...1))
    }
}
