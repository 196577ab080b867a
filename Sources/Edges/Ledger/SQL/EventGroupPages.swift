import Model

extension StoredEventGroup {
    /// The row of a part of a batch; nil for none.
    static func load(_ db: any SQLTransaction, _ batch: BatchID, part: Int) throws -> StoredEventGroup? {
        let row = try db.row(
            "SELECT data FROM event_group WHERE mailing = ? AND batch = ? AND part = ?", [batch.mailing.description, batch.number, part])
        return try row.map { try StoredEventGroup($0.read(0)) }
    }

    /// The counted events of one recipient.
    static func events(_ db: any SQLTransaction, _ batch: BatchID, _ index: Int) throws -> [StoredEvent] {
        try load(db, batch, part: part(of: index))?.events(at: index % size) ?? []
    }
}

/// A mailing's rows of counted events, by batch and part, a page at a time: a server's answer is in memory as a whole.
struct EventGroupPages {
    struct Row {
        var batch: Int
        var part: Int
        var group: StoredEventGroup
    }

    private let db: any SQLTransaction
    private let id: MailingID
    private let size: Int
    /// Where the next page begins; nil at the end.
    private var start: (batch: Int, part: Int)?

    /// - Parameters:
    ///   - size: rows of a page.
    ///   - start: the batch and part of the first row, at least.
    init(_ db: any SQLTransaction, _ id: MailingID, size: Int, from start: (batch: Int, part: Int) = (0, 0)) {
        (self.db, self.id, self.size, self.start) = (db, id, size, start)
    }

    /// There is no further page.
    var isAtEnd: Bool { start == nil }

    /// - Returns: nil at the end.
    /// - Throws: `SQLDamage` for a row that cannot be read.
    mutating func next() throws -> [Row]? {
        guard let start else { return nil }
        let rows = try db.allRows(
            """
            SELECT batch, part, data FROM event_group WHERE mailing = ? AND (batch, part) >= (?, ?) ORDER BY batch, part LIMIT ?
            """, [id.description, start.batch, start.part, size]
        ).map { try Row(batch: $0.read(0), part: $0.read(1), group: StoredEventGroup($0.read(2))) }
        self.start = rows.count < size ? nil : rows.last.map { (batch: $0.batch, part: $0.part + 1) }
        return rows
    }
}
