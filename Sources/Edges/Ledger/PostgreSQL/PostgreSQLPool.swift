import Synchronization

/// A few sessions, of which each call takes one that is free.
final class PostgreSQLPool: Sendable {
    private struct State {
        var idle: [PostgreSQLSession]
        var waiting: [CheckedContinuation<PostgreSQLSession, Never>] = []
    }

    private let all: [PostgreSQLSession]
    private let state: Mutex<State>

    init(_ sessions: [PostgreSQLSession]) {
        all = sessions
        state = Mutex(State(idle: sessions))
    }

    func run<T: Sendable>(
        _ operation: String, _ order: WriteOrder?, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async -> Result<T, LedgerError> {
        let session = await take()
        let result = await session.run(operation, order, body)
        give(session)
        return result
    }

    func close() {
        for session in all { session.close() }
    }

    private func take() async -> PostgreSQLSession {
        await withCheckedContinuation { continuation in
            let free = state.withLock { state in
                if let session = state.idle.popLast() { return session as PostgreSQLSession? }
                state.waiting.append(continuation)
                return nil
            }
            if let free { continuation.resume(returning: free) }
        }
    }

    private func give(_ session: PostgreSQLSession) {
        let next = state.withLock { state in
            let next = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            if next == nil { state.idle.append(session) }
            return next
        }
        next?.resume(returning: session)
    }
}
