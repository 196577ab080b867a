import Logging
import Model
import Synchronization

/// Makes and removes the parts of partitioned tables. Nothing depends on it: where a part cannot be made, the rows are in another.
extension PostgreSQLEngine {
    /// How long others may be kept waiting for a lock at a time; the session tries again for some seconds.
    private static let shortLockTimeout = "SET LOCAL lock_timeout = '100ms'"

    func prepare(for steps: [PlanStep]) async throws(LedgerError) {
        let beginning = steps.filter { $0.batches.first?.number == 0 }
        guard !beginning.isEmpty else { return }
        // What a planner that ended had begun.
        try await removeHalfMade(of: Set(beginning.map(\.mailing)))
        for step in beginning {
            do throws(LedgerError) {
                try await makeMonth(of: step.mailing)
                if step.expectedRecipients >= PostgreSQLPartitions.large { try await makeOwn(step.mailing) }
            } catch {
                try await removeHalfMade(of: [step.mailing])
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
            let sharedPart = try await view("partition") { db -> String? in
                guard try Self.names(db, like: table.own(id)).isEmpty else { return nil }
                let month = try Self.month(db, id)
                return try PostgreSQLPartitions.sharedPart(table, month.flatMap { try Self.isMade($0, db) ? $0 : nil })
            }
            guard let sharedPart else { continue }
            try await change("partition") { db in try db.script(PostgreSQLPartitions.make(table, of: id, besides: sharedPart)) }
            try await change("partition") { db in try db.script(PostgreSQLPartitions.validate(id, sharedPart)) }
            try await change("partition") { db in try db.script(PostgreSQLPartitions.attach(table, of: id, besides: sharedPart)) }
        }
    }

    /// Removes parts that are not attached, and what says that others have none of the mailings' rows: these would refuse them. It waits
    /// for the locks. A mailing is not written before it is done.
    private func removeHalfMade(of ids: Set<MailingID>) async throws(LedgerError) {
        let left = try await view("partition") { db in
            let tables = try db.all(
                String.self,
                """
                SELECT relname::text FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind = 'r'
                    AND NOT relispartition AND relname LIKE '%\\_of\\_%' ORDER BY 1
                """)
            return try ids.compactMap { id throws -> PostgreSQLPartitions.HalfMade? in
                let own = tables.filter { $0.hasSuffix("_of_\(id)") }
                let sharedParts = try db.all(
                    String.self,
                    """
                    SELECT r.relname::text FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
                    WHERE c.conname = ?::text AND r.relnamespace = quote_ident(current_schema())::regnamespace ORDER BY 1
                    """, [PostgreSQLPartitions.absence(id)])
                return own.isEmpty && sharedParts.isEmpty ? nil : .init(mailing: id, tables: own, sharedParts: sharedParts)
            }
        }
        guard !left.isEmpty else { return }
        try await change("partition", waiting: true) { db in
            for part in left { try db.script(PostgreSQLPartitions.discard(part)) }
        }
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
            if !waiting { try db.script(Self.shortLockTimeout) }
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
