import Model

/// What of a tracker's events was counted before.
extension EventWriting {
    /// What of some batches is new.
    struct Unseen {
        /// Events that were not counted before.
        var events: [TrackedEvent] = []
        /// Unsubscribing events that were.
        var again: [TrackedEvent] = []
        /// Unsubscribing events of which the ledger cannot tell, as the row of their source is damaged: they hold, and are not counted.
        var doubtful: [TrackedEvent] = []
    }

    /// How long a source is remembered that is not heard of any more, in milliseconds: 30 days.
    private static let sourceTime: Int64 = 30 * 86_400_000

    /// The events that were not counted before; from now on they are.
    mutating func unseen(_ batches: [EventBatch], now: Int64) throws -> Unseen {
        var sources = try sources(Set(batches.map(\.source)).sorted(), now: now)
        var unseen = Unseen()
        for batch in batches where batch.sequence <= EventBatch.mostSequence {
            let range = batch.sequence..<batch.sequence + UInt64(batch.events.count)
            guard let fresh = sources[batch.source]?.take(range) else {
                summary.invalid += batch.events.count
                unseen.doubtful += batch.events.filter(Self.unsubscribes)
                continue
            }
            let parts = fresh.map { Int($0.lowerBound - batch.sequence)..<Int($0.upperBound - batch.sequence) }
            for part in parts { unseen.events += batch.events[part] }
            let count = parts.reduce(0) { $0 + $1.count }
            guard count < batch.events.count else { continue }
            summary.duplicates += batch.events.count - count
            for (place, event) in batch.events.enumerated() where Self.unsubscribes(event) {
                if !parts.contains(where: { $0.contains(place) }) { unseen.again.append(event) }
            }
        }
        try db.runAll(
            """
            INSERT INTO event_source (source, counted, at) VALUES (?, ?, ?)
            ON CONFLICT (source) DO UPDATE SET counted = excluded.counted, at = excluded.at
            """, sources.sorted { $0.key < $1.key }.map { [Self.name(of: $0.key), $0.value.text, now] })
        return unseen
    }

    /// What is counted of each of some sources; a source whose row is damaged is not among them.
    private mutating func sources(_ names: [UInt64], now: Int64) throws -> [UInt64: SequenceRanges] {
        let found: [Result<SequenceRanges, SQLDamage>?] = try db.firstRows(
            "SELECT counted FROM event_source WHERE source = ?\(db.locking)", names.map { [Self.name(of: $0)] }
        ) { row, _ in try Self.undamaged { try SequenceRanges(text: row.read(0)) } }
        var sources: [UInt64: SequenceRanges] = [:]
        var isNew = false
        for (source, ranges) in zip(names, found) {
            switch ranges {
            case .success(let ranges)?: sources[source] = ranges
            case .failure(let damage)?: summary.damage = "the row of tracker \(Self.name(of: source)) cannot be read (\(damage.text))"
            case nil:
                sources[source] = SequenceRanges()
                isNew = true
            }
        }
        // Each life of a tracker leaves a row.
        if isNew { try db.run("DELETE FROM event_source WHERE at < ?", [now - Self.sourceTime]) }
        return sources
    }

    /// What a row holds, or what is wrong with it. Other errors are thrown.
    static func undamaged<Value>(_ read: () throws -> Value) throws -> Result<Value, SQLDamage> {
        do { return .success(try read()) } catch let damage as SQLDamage { return .failure(damage) }
    }

    static func unsubscribes(_ event: TrackedEvent) -> Bool {
        guard event.method == .post else { return false }
        return event.action == .unsubscribe || event.change?.declines == true
    }

    /// Whom an event unsubscribes from mailings like its own; nil where there can be nobody of that place.
    static func unsubscription(_ event: TrackedEvent, _ ids: [UInt32: MailingID]) -> Choice? {
        guard event.action == .unsubscribe, let id = ids[event.mailing], isPossible(event) else { return nil }
        let batch = BatchID(mailing: id, number: Int(event.batch))
        return Choice(batch: batch, index: Int(event.index), isUnsubscribed: true, at: event.time)
    }

    static func isPossible(_ event: TrackedEvent) -> Bool {
        event.batch < TrackedEvent.batches && event.index < TrackedEvent.indexes && WireLimit.time.contains(event.time)
    }

    private static func name(of source: UInt64) -> String {
        let digits = String(source, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
