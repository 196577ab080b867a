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
    /// Those of the copy.
    private var clients: EventClients
    /// Those of the ledger of before.
    private var replaced: [Int64: EventClient] = [:]

    init(_ db: SQLiteTransaction, _ id: MailingID) {
        self.db = db
        self.id = id
        clients = EventClients(db)
    }

    /// Takes over all rows of a mailing that the copy lacks; its counters are taken over too.
    mutating func takeAll() throws {
        let rows = try db.rows("SELECT batch, part, data FROM replaced.event_group WHERE mailing = ?", [id.description])
        while let row = try rows.next() {
            var group = try StoredEventGroup(row.read(2))
            for place in group.places {
                var events = try group.events(at: place)
                let theirs = try events.map { try client($0.client) }
                try clients.note(Set(theirs))
                for (place, client) in theirs.enumerated() { events[place].client = clients.number(of: client) }
                group.set(events, at: place)
            }
            try EventWriting.store([[id.description, row.read(0) as Int, row.read(1) as Int, group.bytes]], db)
        }
    }

    /// Adds the events that the copy lacks to its log: a collector classifies and counts them.
    mutating func addMissing() throws {
        var theirs = try logged("replaced")
        var ours = try logged("main")
        let rows = try db.rows(
            """
            SELECT r.batch, r.part, r.data, m.data FROM replaced.event_group r
            LEFT JOIN main.event_group m ON m.mailing = r.mailing AND m.batch = r.batch AND m.part = r.part
            WHERE r.mailing = ? AND m.data IS NOT r.data
            """, [id.description])
        var missing: [TrackedEvent] = []
        while let row = try rows.next() {
            let (batch, part): (Int, Int) = try (row.read(0), row.read(1))
            let group = try StoredEventGroup(row.read(2))
            var known = try row.bytes(3).map { try StoredEventGroup($0) } ?? StoredEventGroup()
            var isErased = false
            for place in group.places {
                let index = part * StoredEventGroup.size + place
                let key = EventOrder.recipient(batch: batch, index: index)
                let (old, stored) = try (known.events(at: place), group.events(at: place))
                try clients.load(Set(old.map(\.client)))
                let counted = try stored.map { event in try Self.tracked(event, client(event.client), batch, index) }
                missing += Self.difference(
                    counted + (theirs.removeValue(forKey: key) ?? []),
                    old.map { Self.tracked($0, clients[$0.client], batch, index) } + (ours.removeValue(forKey: key) ?? []))
                // A person who was erased does not come back with a copy.
                guard stored.contains(where: { $0.visitorHash == 0 }), old.contains(where: { $0.visitorHash != 0 }) else { continue }
                known.set(Self.erasing(old, as: stored), at: place)
                isErased = true
            }
            if isErased { try EventWriting.store([[id.description, batch, part, known.bytes]], db) }
            if missing.count > 10_000 { try log(&missing) }
        }
        for (key, events) in theirs { missing += Self.difference(events, ours[key] ?? []) }
        try log(&missing)
    }

    private func log(_ events: inout [TrackedEvent]) throws {
        let order = events.indices.map { EventOrder(events[$0], $0) }.sorted()
        try EventLog(db).append(order.map { events[$0.event] }, of: id)
        events = []
    }

    /// The events of a ledger that are not counted yet, by their recipients.
    private func logged(_ ledger: String) throws -> [UInt64: [TrackedEvent]] {
        var found: [UInt64: [TrackedEvent]] = [:]
        let rows = try db.rows("SELECT data FROM \(ledger).event_log WHERE mailing = ? ORDER BY id", [id.description])
        while let row = try rows.next() {
            guard let batch = try? EventBatch(decoding: row.read(0)) else { continue }
            for event in batch.events { found[EventOrder(event, 0).recipient, default: []].append(event) }
        }
        return found
    }

    private static func tracked(_ event: StoredEvent, _ client: EventClient, _ batch: Int, _ index: Int) -> TrackedEvent {
        var tracked = event.event(client)
        (tracked.batch, tracked.index) = (UInt32(clamping: batch), UInt32(clamping: index))
        return tracked
    }

    /// The events of one recipient, without visitors where the same visit has none in the ledger of before.
    private static func erasing(_ ours: [StoredEvent], as theirs: [StoredEvent]) -> [StoredEvent] {
        ours.map { event in
            let isErased = theirs.contains {
                $0.visitorHash == 0 && ($0.action, $0.method, $0.link, $0.time) == (event.action, event.method, event.link, event.time)
            }
            var event = event
            if isErased { event.eraseVisitor() }
            return event
        }
    }

    /// Those of some events of one recipient that are not among others.
    private static func difference(_ theirs: [TrackedEvent], _ ours: [TrackedEvent]) -> [TrackedEvent] {
        var rest = ours
        return theirs.filter { event in
            guard let place = rest.firstIndex(where: { $0.isSame(as: event) }) else { return true }
            rest.remove(at: place)
            return false
        }
    }

    /// A client of the ledger of before.
    private mutating func client(_ number: Int64) throws -> EventClient {
        if let known = replaced[number] { return known }
        let row = try db.row("SELECT agent, network FROM replaced.event_client WHERE id = ?", [number])
        let found = try row.map { try EventClient(agent: $0.read(0), network: $0.read(1)) } ?? EventClient(agent: "", network: "")
        replaced[number] = found
        return found
    }
}

extension TrackedEvent {
    /// It is the same visit, whatever was erased of it.
    fileprivate func isSame(as other: TrackedEvent) -> Bool {
        (action, method, link, time, agent, network) == (other.action, other.method, other.link, other.time, other.agent, other.network)
            && (visitor == other.visitor || visitor == 0 || other.visitor == 0)
    }
}
