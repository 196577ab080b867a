package import Model
package import Policy
import Text

extension SQLLedger: ReceiptStore {
    /// How long a receipt is tried again that names no message, and how long it is shown.
    private static let retryTime: Int64 = 3_600_000
    private static let keepTime: Int64 = 30 * 86_400_000
    /// Receipts that are aside at most, and that one transaction tries again.
    private static let mostAside = 10_000
    private static let retried = 1_000
    /// Ids that one transaction forgets at most.
    private static let forgotten = 50_000

    package func expectReceipts(of providers: Set<String>, now: Int64) async throws(LedgerError) {
        try await write("receipts") { db in
            let known = Set(try db.all(String.self, "SELECT name FROM receipt_provider"))
            for name in known.subtracting(providers).sorted() { try db.run("DELETE FROM receipt_provider WHERE name = ?", [name]) }
            for name in providers.subtracting(known).sorted() {
                try db.run("INSERT INTO receipt_provider (name) VALUES (?) ON CONFLICT DO NOTHING", [name])
            }
        }
        // As long as the longest gap that a setting allows would keep them for ever: of what is a year old nothing follows.
        try await write("receipts") { db in try SoftBounces.forget(db, before: now - 365 * 86_400_000) }
        try await forgetReferences(before: MessageReference.day(now) - MessageReference.days)
    }

    /// Forgets the ids of days that no receipt asks for any more, in parts: others write in between.
    private func forgetReferences(before day: Int64) async throws(LedgerError) {
        var removed = 0
        repeat {
            removed = try await write("receipts") { db in
                try db.run(
                    """
                    DELETE FROM message_reference WHERE (day, hash, mailing, batch, idx) IN (
                        SELECT day, hash, mailing, batch, idx FROM message_reference WHERE day < ? LIMIT ?)
                    """, [day, Self.forgotten])
                return db.changes
            }
        } while removed == Self.forgotten
    }

    package func write(
        receipts: [ProviderReceipt], letters: [DeadLetter], suppressing rules: SuppressionRules, now: Int64
    ) async throws(LedgerError) -> ReceiptSummary {
        // Two collectors that write receipts of one recipient write them one after the other.
        try await write("receipts", .alone) { db in
            try Self.keep(letters, db)
            var writing = try ReceiptWriting(db, suppressing: rules, now: now)
            let rest = try writing.add(receipts)
            try Self.putAside(rest, &writing)
            writing.summary.standing = try db.standing()
            return writing.summary
        }
    }

    package func retryReceipts(suppressing rules: SuppressionRules, now: Int64) async throws(LedgerError) -> ReceiptSummary {
        let isAny = try await read("looking for receipts") { db in
            try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM receipt_unknown WHERE until > ?)", [now]) == true
        }
        guard isAny else { return ReceiptSummary() }
        return try await write("receipts", .alone) { db in
            let rows = try db.allRows(
                "SELECT \(UnknownReceipt.columns) FROM receipt_unknown WHERE until > ? ORDER BY tried, arrived LIMIT ?",
                [now, Self.retried])
            let all = try rows.map { try UnknownReceipt($0) }
            var writing = try ReceiptWriting(db, suppressing: rules, now: now)
            let rest = Set(try writing.add(all.map(\.receipt)).map(Self.key))
            let found = all.filter { !rest.contains($0.key) }
            try db.runAll("UPDATE receipt_unknown SET tried = ? WHERE key = ?", rest.sorted().map { [now, $0] })
            try db.runAll("DELETE FROM receipt_unknown WHERE key = ?", found.map { [$0.key] })
            writing.summary.found += found.count
            return writing.summary
        }
    }

    /// Keeps receipts that name no message. Beyond the bound the oldest are removed.
    private static func putAside(_ receipts: [ProviderReceipt], _ writing: inout ReceiptWriting) throws {
        guard !receipts.isEmpty else { return }
        let (db, now) = (writing.db, writing.now)
        let written = try db.runAll(
            """
            INSERT INTO receipt_unknown (
                key, webhook, provider, kind, word, provider_id, message_id, recipient, detail, is_machine, at, arrived, until, tried)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (key) DO NOTHING
            """,
            receipts.map { one -> [any SQLConvertible] in
                let until: Int64 = one.kind == .unknown ? 0 : now + retryTime
                return [
                    key(one), one.webhook, one.provider, one.kind.name, one.word, one.providerID, one.messageID, one.recipient, one.detail,
                    one.isMachine, one.time, one.arrived, until,
                ]
            })
        writing.summary.aside += written.reduce(0, +)
        writing.summary.duplicates += written.count { $0 == 0 }
        try db.run("DELETE FROM receipt_unknown WHERE arrived < ?", [now - keepTime])
        let count = try db.one(Int.self, "SELECT count(*) FROM receipt_unknown") ?? 0
        guard count > mostAside else { return }
        try db.run(
            "DELETE FROM receipt_unknown WHERE key IN (SELECT key FROM receipt_unknown ORDER BY arrived, key LIMIT ?)",
            [count - mostAside])
        writing.summary.discarded += db.changes
    }

    /// Names a receipt by what it says: one that comes twice is kept once.
    private static func key(_ receipt: ProviderReceipt) -> String {
        var one = receipt
        one.arrived = 0
        let bytes = ReceiptBatch([one]).encoded()
        let hashes = [bytes.reduce(FNV.seed64) { FNV.step($0, $1) }, bytes.reversed().reduce(FNV.seed64) { FNV.step($0, $1) }]
        return hashes.map { String($0, radix: 36) }.joined(separator: "-")
    }

    package func unknownReceiptCount() async throws(LedgerError) -> Int {
        try await read("counting receipts") { db in try db.one(Int.self, "SELECT count(*) FROM receipt_unknown") ?? 0 }
    }

    package func unknownReceipts(after: UnknownReceipt?, limit: Int) async throws(LedgerError) -> [UnknownReceipt] {
        try await read("listing receipts") { db in
            try db.allRows(
                """
                SELECT \(UnknownReceipt.columns) FROM receipt_unknown WHERE (arrived, key) < (?, ?)
                ORDER BY arrived DESC, key DESC LIMIT ?
                """, [after?.receipt.arrived ?? Int64.max, after?.key ?? "", limit]
            ).map { try UnknownReceipt($0) }
        }
    }
}

extension UnknownReceipt {
    fileprivate static let columns =
        "key, until, kind, word, webhook, provider, provider_id, message_id, recipient, detail, is_machine, at, arrived"

    fileprivate init(_ row: any SQLRow) throws {
        var receipt = try ProviderReceipt(ProviderReceipt.Kind(name: row.read(2)) ?? .unknown, word: row.read(3))
        receipt.webhook = try row.read(4)
        receipt.provider = try row.read(5)
        receipt.providerID = try row.read(6)
        receipt.messageID = try row.read(7)
        receipt.recipient = try row.read(8)
        receipt.detail = try row.read(9)
        receipt.isMachine = try row.read(10)
        receipt.time = try row.read(11)
        receipt.arrived = try row.read(12)
        try self.init(key: row.read(0), receipt: receipt, until: row.read(1))
    }
}
