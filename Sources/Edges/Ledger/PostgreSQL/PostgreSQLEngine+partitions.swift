import Logging
import Model
import Synchronization

/// Makes and removes the parts of partitioned tables. Nothing depends on it: where a part cannot be made, the rows are in another.
extension PostgreSQLEngine {
    /// How long others may be kept waiting for a lock at a time; the session tries again for some seconds.
    private static let patience = "SET LOCAL lock_timeout = '100ms'"

    func prepare(for steps: [PlanStep]) async {
        for step in steps where step.batches.first?.number == 0 {
            do throws(LedgerError) {
                try await makeMonth(of: step.mailing)
                if step.expectedRecipients >= PostgreSQLPartitions.large { try await makeOwn(step.mailing) }
            } catch {
                logger.warning(
                    """
                    mailing \(step.mailing) shares tables with others, as these kept somebody else busy for long: it is sent as usual, and \
                    takes longer to prune one day
                    """, metadata: ["error": "\(error)"])
            }
        }
    }

    private func makeMonth(of id: MailingID) async throws(LedgerError) {
        guard !months.withLock({ $0.contains { $0.contains(id) } }) else { return }
        let month = try await view("partition") { db in try Self.month(db, id).map { ($0, try Self.isMade($0, db)) } }
        guard let (month, isMade) = month else { return }
        if !isMade { try await change("partition") { db in try db.script(PostgreSQLPartitions.make(month)) } }
        months.withLock { $0.append(month) }
    }

    /// One table after the other: each keeps others waiting for a moment only, and one that fails takes nothing from those before.
    private func makeOwn(_ id: MailingID) async throws(LedgerError) {
        for table in PostgreSQLPartitions.tables {
            try await removeHalfMade(table, of: id)
            let neighbour = try await view("partition") { db -> String? in
                guard try Self.names(db, like: table.own(id)).isEmpty else { return nil }
                let month = try Self.month(db, id)
                return try PostgreSQLPartitions.neighbour(table, month.flatMap { try Self.isMade($0, db) ? $0 : nil })
            }
            guard let neighbour else { continue }
            do throws(LedgerError) {
                try await change("partition") { db in try db.script(PostgreSQLPartitions.make(table, of: id, besides: neighbour)) }
                try await change("partition") { db in try db.script(PostgreSQLPartitions.validate(id, neighbour)) }
                try await change("partition") { db in try db.script(PostgreSQLPartitions.attach(table, of: id, besides: neighbour)) }
            } catch {
                // What says that the neighbour has none of the mailing's rows must not stay: this waits as long as it takes.
                try await change("partition", waiting: true) { db in try db.script(PostgreSQLPartitions.forgo(table, of: id, neighbour)) }
                throw error
            }
        }
    }

    /// Removes what a planner that ended had begun: the neighbour, which is said to have none of the mailing's rows, would refuse them.
    private func removeHalfMade(_ table: PostgreSQLPartitions.Table, of id: MailingID) async throws(LedgerError) {
        let neighbour = try await view("partition") { db -> String? in
            let isLeft = try db.one(
                Bool.self,
                """
                SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = ?::text AND relnamespace = current_schema()::regnamespace
                    AND relkind = 'r' AND NOT relispartition)
                """, [table.own(id)])
            guard isLeft == true else { return nil }
            let month = try Self.month(db, id)
            return try PostgreSQLPartitions.neighbour(table, month.flatMap { try Self.isMade($0, db) ? $0 : nil })
        }
        guard let neighbour else { return }
        try await change("partition", waiting: true) { db in try db.script(PostgreSQLPartitions.forgo(table, of: id, neighbour)) }
    }

    func tidy(after id: MailingID) async {
        do throws(LedgerError) {
            try await change("partition") { db in
                let parts = try Self.names(db, like: "%\\_of\\_\(id)")
                if !parts.isEmpty { try db.script(PostgreSQLPartitions.drop(parts)) }
            }
        } catch {
            logger.notice("the empty tables of mailing \(id) stay, as others are at work (\(error)); they are no larger than some pages")
        }
    }

    /// - Parameter waiting: takes as long as it takes to get the locks.
    private func change(
        _ operation: String, waiting: Bool = false, _ body: @escaping @Sendable (PostgreSQLTransaction) throws -> Void
    ) async throws(LedgerError) {
        try await transact(operation, .sideBySide) { db in
            guard let db = db as? PostgreSQLTransaction else { return }
            if !waiting { try db.script(Self.patience) }
            try body(db)
        }
    }

    private static func month(_ db: any SQLTransaction, _ id: MailingID) throws -> PostgreSQLPartitions.Month? {
        try db.rows(PostgreSQLPartitions.Month.query, [id.added]).next().map { try PostgreSQLPartitions.Month($0) }
    }

    private static func isMade(_ month: PostgreSQLPartitions.Month, _ db: any SQLTransaction) throws -> Bool {
        try !names(db, like: "batch_\(month.name)").isEmpty
    }

    /// The tables of the ledger with a name.
    static func names(_ db: any SQLTransaction, like pattern: String) throws -> [String] {
        try db.all(
            String.self,
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE ?::text ORDER BY 1", [pattern])
    }
}

extension PostgreSQLTransaction {
    /// Empties the parts that a mailing has by itself.
    /// - Returns: how many recipients went; nil where it has none.
    func removeAtOnce(_ id: MailingID) throws -> Int? {
        let parts = try PostgreSQLEngine.names(self, like: "%\\_of\\_\(id)")
        guard !parts.isEmpty else { return nil }
        // A part that could not be made is missing; those rows go one by one, and are counted then.
        let hasBatches = parts.contains("batch_of_\(id)")
        let recipients = hasBatches ? try one(Int.self, "SELECT sum(count) FROM batch WHERE mailing = ?", [id.description]) ?? 0 : 0
        try script("SET LOCAL lock_timeout = '100ms'; " + PostgreSQLPartitions.truncate(parts))
        return recipients
    }
}

extension PlanStep {
    /// How many recipients the mailing seems to have, by a mailing's first step: those of the step, or as many as its file has of their
    /// size.
    var expectedRecipients: Int {
        let planned = batches.reduce(0) { $0 + $1.count }
        guard ending == .more, let sourceSize, bytes > 0 else { return planned }
        return max(planned, Int(clamping: Int64(Double(min(max(sourceSize, 0), 1 << 50)) * Double(planned) / Double(bytes))))
    }
}
