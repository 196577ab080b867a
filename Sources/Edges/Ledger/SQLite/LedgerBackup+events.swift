import GRDB
import Model

/// What visitors did since a copy was made.
extension LedgerBackup {
    /// Takes over which events are counted, so that none that is still in Redis counts twice.
    /// - Returns: false where that cannot be read.
    static func mergeEventSources(into db: Database) -> Bool {
        do {
            try db.inTransaction {
                let transaction = SQLiteTransaction(db)
                for row in try transaction.allRows("SELECT source, counted, at FROM replaced.event_source") {
                    let source: String = try row.read(0)
                    let ours = try transaction.one(String.self, "SELECT counted FROM main.event_source WHERE source = ?", [source])
                    var ranges = try SequenceRanges(text: ours ?? "")
                    for range in try SequenceRanges(text: row.read(1)).ranges { _ = ranges.take(range) }
                    try transaction.run(
                        """
                        INSERT INTO main.event_source (source, counted, at) VALUES (?1, ?2, ?3)
                        ON CONFLICT (source) DO UPDATE SET counted = ?2, at = max(at, ?3)
                        """, [source, ranges.text, try row.read(2) as Int64])
                }
                return .commit
            }
            return true
        } catch {
            return false
        }
    }
}

extension LedgerBackup {
    /// Takes over what is kept of the addresses of pruned mailings' recipients: whoever was erased since is not among them.
    /// - Returns: false where that cannot be read.
    static func mergePrunedAddresses(into db: Database) -> Bool {
        do {
            try db.inTransaction {
                try db.execute(
                    sql: """
                        INSERT OR REPLACE INTO main.pruned_address (number, batch, hashes)
                        SELECT r.number, r.batch, r.hashes FROM replaced.pruned_address r
                        WHERE r.number IN (SELECT number FROM main.mailing WHERE pruned IS NOT NULL)
                        """)
                return .commit
            }
            return true
        } catch {
            return false
        }
    }
}

/// The events of one mailing, in one transaction of the copy; the ledger of before is attached as `replaced`.
struct EventMerging {
    private let db: SQLiteTransaction
    private let id: MailingID
    private var clients: EventClients
    /// The numbers that clients of the ledger of before have in the copy.
    private var numbers: [Int64: Int64] = [:]
    private var tally = EventTally()

    init(_ db: SQLiteTransaction, _ id: MailingID) {
        self.db = db
        self.id = id
        clients = EventClients(db)
    }

    /// Adds the events that the copy lacks to each recipient's.
    /// - Parameter isCounted: the counters have them already.
    mutating func run(isCounted: Bool) throws {
        let rows = try db.rows(
            """
            SELECT r.batch, r.idx, r.data, m.data FROM replaced.event_recipient r
            LEFT JOIN main.event_recipient m ON m.mailing = r.mailing AND m.batch = r.batch AND m.idx = r.idx
            WHERE r.mailing = ? AND m.data IS NOT r.data
            """, [id.description])
        var merged: [[any SQLConvertible]] = []
        while let row = try rows.next() {
            let (batch, index): (Int, Int) = try (row.read(0), row.read(1))
            let theirs = try [StoredEvent](packed: row.read(2))
            let ours = try row.bytes(3).map { try [StoredEvent](packed: $0) } ?? []
            let all = try merge(ours, theirs)
            tally.add(ours, -1)
            tally.add(all, 1)
            merged.append([id.description, batch, index, all.packed()])
        }
        try EventWriting.store(merged, db)
        if !isCounted { try tally.store(db, id) }
    }

    private mutating func merge(_ ours: [StoredEvent], _ theirs: [StoredEvent]) throws -> [StoredEvent] {
        var all = ours
        var rest = Array(ours.indices)
        for var event in theirs {
            event.client = try number(of: event.client)
            guard let place = rest.firstIndex(where: { ours[$0].isSame(as: event) }) else {
                all.append(event)
                continue
            }
            let same = rest.remove(at: place)
            // A person who was erased does not come back with a copy.
            if event.visitorHash == 0 { all[same].eraseVisitor() }
        }
        return all.sorted { $0.time < $1.time }
    }

    private mutating func number(of client: Int64) throws -> Int64 {
        if let known = numbers[client] { return known }
        let row = try db.row("SELECT agent, network FROM replaced.event_client WHERE id = ?", [client])
        let found = try row.map { try EventClient(agent: $0.read(0), network: $0.read(1)) } ?? EventClient(agent: "", network: "")
        try clients.note([found])
        numbers[client] = clients.number(of: found)
        return clients.number(of: found)
    }
}

extension StoredEvent {
    /// It is the same visit, whatever it counts as and whatever was erased of it.
    fileprivate func isSame(as other: StoredEvent) -> Bool {
        (action, method, link, time, client) == (other.action, other.method, other.link, other.time, other.client)
            && (visitorHash == other.visitorHash || visitorHash == 0 || other.visitorHash == 0)
    }
}
