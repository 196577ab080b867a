import CPQ
import Foundation

/// libpq's own waits have no end: a server that is stopped, or a machine that is gone, would keep a thread for good.
extension PostgreSQLConnection {
    /// The answer to what was sent just now; the last one that is no success, or else the last.
    /// - Parameter status: of the call that sent it.
    func answer(_ status: Int32) throws(PostgreSQLError) -> OpaquePointer? {
        guard status == 1 else { throw lost() }
        var last: OpaquePointer?
        while true {
            do throws(PostgreSQLError) { try waitForAnswer() } catch {
                PQclear(last)
                throw error
            }
            guard let next = PQgetResult(connection) else { return last }
            if Self.isFailure(last) {
                PQclear(next)
            } else {
                PQclear(last)
                last = next
            }
            // Data go on in it, and its end comes later.
            if PQresultStatus(last) == PGRES_COPY_IN { return last }
        }
    }

    private static func isFailure(_ result: OpaquePointer?) -> Bool {
        guard let result else { return false }
        return ![PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_IN].contains(PQresultStatus(result))
    }

    /// Sends what is queued, and waits until `PQgetResult` has an answer without waiting.
    func waitForAnswer() throws(PostgreSQLError) {
        try wait { PQisBusy($0) == 0 }
    }

    /// Sends what is queued.
    func waitUntilSent() throws(PostgreSQLError) {
        try wait { _ in true }
    }

    private func wait(until isDone: (OpaquePointer) -> Bool) throws(PostgreSQLError) {
        let deadline = ContinuousClock.now + answerTimeout
        while true {
            // The server may have said why it closed the connection: PQgetResult tells.
            let unsent = PQflush(connection)
            if unsent < 0 || (unsent == 0 && isDone(connection)) { return }
            let left = deadline - ContinuousClock.now
            guard left > .zero else {
                isSilent = true
                throw PostgreSQLError(
                    kind: .transient, detail: "the server has not answered for \(answerTimeout.components.seconds) seconds")
            }
            var item = pollfd(fd: PQsocket(connection), events: Int16(POLLIN | (unsent == 1 ? POLLOUT : 0)), revents: 0)
            _ = poll(&item, 1, Int32(clamping: left.components.seconds * 1000 + 1))
            if PQconsumeInput(connection) != 1 { return }
        }
    }
}
