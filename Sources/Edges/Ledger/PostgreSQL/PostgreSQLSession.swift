import Dispatch
import Foundation
import Synchronization

/// A session with the server, on a thread of its own: a lost connection is opened again, and what the server undid is done again.
final class PostgreSQLSession: Sendable {
    struct Options: Sendable {
        /// How long an address of the server may take to connect.
        var connectTime = Duration.seconds(10)
        /// How long a statement may take before the server ends it.
        var statementTime = Duration.seconds(60)
        /// How long a call tries again before it says that the server cannot be reached.
        var retryTime = Duration.seconds(5)
        /// Where the ledger's tables are; nil for where they are found.
        var schema: String?
        /// It is noted in the ledger when another server takes the place of the one before.
        var notesMoves = false
    }

    private let url: String
    private let name: String
    private let options: Options
    private let queue: DispatchQueue
    /// Used on `queue` alone.
    private let connection = Mutex<PostgreSQLConnection?>(nil)

    /// - Parameters:
    ///   - url: what libpq takes.
    ///   - name: the same without secrets.
    init(url: String, name: String, number: Int, options: Options) {
        (self.url, self.name, self.options) = (url, name, options)
        queue = DispatchQueue(label: "ledger-\(number)")
    }

    /// Runs `body` in a transaction, on the session's thread.
    /// - Parameter order: nil for one that only reads.
    func run<T: Sendable>(
        _ operation: String, _ order: WriteOrder?, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async -> Result<T, LedgerError> {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                let result = connection.withLock { connection in
                    var call = Call(operation: operation, order: order, body: body)
                    return attempt(&call, &connection)
                }
                continuation.resume(returning: result)
            }
        }
    }

    /// Closes the connection; a later call opens it again.
    func close() {
        queue.async { [self] in connection.withLock { $0 = nil } }
    }

    private struct Call<T> {
        var operation: String
        var order: WriteOrder?
        var body: @Sendable (any SQLTransaction) throws -> T
        /// A transaction whose end is not known, and what it gives where it was committed.
        var open: (id: String, token: Int64, value: T)?
    }

    private func attempt<T>(_ call: inout Call<T>, _ connection: inout PostgreSQLConnection?) -> Result<T, LedgerError> {
        let deadline = ContinuousClock.now + options.retryTime
        var pause = 1.0
        while true {
            do {
                return .success(try once(&call, &connection))
            } catch let error as PostgreSQLError {
                if connection?.isOpen != true || error.isOfSession { connection = nil }
                guard error.kind == .transient, ContinuousClock.now < deadline else {
                    return .failure(LedgerError(error, path: name, operation: call.operation, mayBeDone: call.open != nil))
                }
                // Those who were in each other's way try again at different moments.
                usleep(UInt32(pause * Double.random(in: 500...1500)))
                pause = min(pause * 2, 500)
            } catch let error as LedgerError {
                return .failure(error)
            } catch let error as SQLDamage {
                return .failure(.corrupt(path: name, detail: "\(call.operation): \(error.text)"))
            } catch {
                return .failure(.failed(path: name, operation: call.operation, detail: "\(error)"))
            }
        }
    }

    private func once<T>(_ call: inout Call<T>, _ held: inout PostgreSQLConnection?) throws -> T {
        let connection = try held ?? open()
        held = connection
        if let open = call.open, try isCommitted(open.id, open.token, connection) { return open.value }
        call.open = nil
        if options.notesMoves, call.order != nil { try connection.noteStanding() }
        try connection.run(call.order == nil ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN")
        let transaction = PostgreSQLTransaction(connection, isReading: call.order == nil)
        let value: T
        do {
            // What only one does at a time waits for this row; a statement after it sees what the one before did.
            if call.order == .alone { try connection.run("SELECT 1 FROM ledger FOR UPDATE") }
            value = try call.body(transaction)
            try transaction.finish()
            if transaction.isWriting, let id = try connection.transactionID() { call.open = (id, transaction.token, value) }
        } catch {
            // Where this fails as well, the connection is lost, and the server rolls back by itself.
            try? connection.run("ROLLBACK")
            throw error
        }
        do {
            try connection.run("COMMIT")
        } catch {
            // The server said that it did not commit; otherwise nobody knows.
            if connection.isOpen { call.open = nil }
            throw error
        }
        return value
    }

    private func open() throws -> PostgreSQLConnection {
        let connection = try PostgreSQLConnection(
            url: url, connectTime: options.connectTime, statementTime: options.statementTime)
        try connection.prepareSession(schema: options.schema)
        return connection
    }

    /// Whether a transaction was committed whose answer was lost with the connection: its token is there then. Another session with
    /// the same one of 4,096 slots may have replaced it since; then the transaction is done once more.
    private func isCommitted(_ id: String, _ token: Int64, _ connection: PostgreSQLConnection) throws -> Bool {
        guard try connection.status(ofTransaction: id) != "in progress" else {
            throw PostgreSQLError(kind: .transient, detail: "a transaction has not ended whose connection was lost")
        }
        return try connection.isThere(token: token)
    }
}
