import CPQ

/// A named statement with its parameters.
struct PostgreSQLCall {
    var statement: PostgreSQLStatement
    var values: [SQLValue]
}

extension PostgreSQLConnection {
    /// Runs statements one after the other without a round trip for each. It is for statements that return little: the answers wait in
    /// the sockets meanwhile. Call it in a transaction: where one fails, others may have been run.
    /// - Returns: what each gave, in their order.
    func pipeline(_ calls: [PostgreSQLCall]) throws(PostgreSQLError) -> [PostgreSQLRows] {
        for call in calls { try prepare(call.statement) }
        var rows: [PostgreSQLRows] = []
        var slice: [PostgreSQLCall] = []
        var bytes = 0
        for call in calls {
            slice.append(call)
            bytes += call.values.reduce(0) { $0 + $1.size }
            guard slice.count == 64 || bytes >= 1 << 15 else { continue }
            rows += try send(slice)
            slice.removeAll(keepingCapacity: true)
            bytes = 0
        }
        return slice.isEmpty ? rows : rows + (try send(slice))
    }

    private func send(_ calls: [PostgreSQLCall]) throws(PostgreSQLError) -> [PostgreSQLRows] {
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        defer { PQexitPipelineMode(connection) }
        for call in calls {
            let status = Self.withParameters(call.values) { pointers, lengths, formats in
                PQsendQueryPrepared(connection, call.statement.name, Int32(call.values.count), pointers, lengths, formats, 1)
            }
            guard status == 1 else { throw lost() }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        return try receive(calls.count)
    }

    /// Reads up to the end of the pipeline, which the session needs for its next statement, whatever failed.
    private func receive(_ count: Int) throws(PostgreSQLError) -> [PostgreSQLRows] {
        var rows: [PostgreSQLRows] = []
        var failure: PostgreSQLError?
        var isBetween = true
        while true {
            try waitForAnswer()
            guard let result = PQgetResult(connection) else {
                // One null ends each statement's answers; a second one means that nothing more comes.
                guard isOpen, !isBetween else { throw failure ?? lost() }
                isBetween = true
                continue
            }
            isBetween = false
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                if let failure { throw failure }
                guard rows.count == count else {
                    throw PostgreSQLError(kind: .permanent, detail: "\(count) statements had \(rows.count) answers")
                }
                return rows
            case PGRES_PIPELINE_ABORTED: PQclear(result)
            default:
                do throws(PostgreSQLError) { rows.append(try check(result)) } catch { failure = failure ?? error }
            }
        }
    }
}
