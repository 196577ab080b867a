import Model

/// The events that receipts are, with a few round trips for all receipts of a transaction.
extension ReceiptWriting {
    private typealias Occurrence = SQLLedger.ResultWriting.Occurrence

    /// Opens, and clicks, that are kept of one recipient: so many say no more than the last did.
    private static let mostVisits = 100

    /// Batches at most whose addresses are kept.
    private static let mostBatches = 20

    /// Writes the events that receipts are, where they are kept.
    /// - Returns: for each, false where it is there already, or is beyond the bound.
    mutating func note(_ found: [Found], _ writing: inout SQLLedger.ResultWriting) throws -> [Bool] {
        var isNew = [Bool](repeating: true, count: found.count)
        var (places, events): ([Int], [Occurrence]) = ([], [])
        for (place, one) in found.enumerated() {
            guard let kind = Self.event(of: one.receipt.kind) else { continue }
            let detail = try isErased(one) ? "" : one.receipt.detail
            places.append(place)
            events.append(Occurrence(batch: one.batch, index: one.index, kind: kind, at: one.at, detail: detail))
        }
        let counts = try writing.counts(of: events)
        let told = try untimed(zip(places, events).filter { found[$0.0].receipt.time == nil }.map(\.1))
        var crowd = Crowd(counts, events, most: Self.mostVisits)
        var seen: Set<[String]> = []
        var (kept, keptPlaces): ([Occurrence], [Int]) = ([], [])
        for (place, event) in zip(places, events) {
            // Where the provider tells no time, one of a kind and text counts.
            if found[place].receipt.time == nil, told.contains(Self.name(event)) || !seen.insert(Self.name(event)).inserted {
                isNew[place] = false
            } else if try [.opened, .clicked].contains(event.kind) && !crowd.takes(event, db) {
                isNew[place] = false
            } else {
                seen.insert(Self.name(event))
                kept.append(event)
                keptPlaces.append(place)
            }
        }
        for (place, isWritten) in zip(keptPlaces, try writing.add(kept, known: counts)) { isNew[place] = isWritten }
        return isNew
    }

    /// Names what an event says, whenever it was.
    private static func name(_ event: Occurrence) -> [String] { [event.batch.message(event.index), event.kind.rawValue, event.detail] }

    /// Those of some events that the ledger has, with whatever time.
    private func untimed(_ events: [Occurrence]) throws -> Set<[String]> {
        guard !events.isEmpty else { return [] }
        let found: [Bool?] = try db.firstRows(
            "SELECT 1 FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ? AND detail = ? LIMIT 1",
            events.map { $0.key.values + [$0.detail] }
        ) { _, _ in true }
        return Set(zip(events, found).filter { $0.1 != nil }.map { Self.name($0.0) })
    }

    /// Whether the values of a recipient were erased: the words of a provider often have the address.
    private mutating func isErased(_ one: Found) throws -> Bool {
        guard hasErasures, let recipients = try recipients(of: one.batch) else { return false }
        return one.index < recipients.count && recipients.range(one.index, 1).isEmpty
    }

    /// The addresses of a batch; nil where they are not kept any more.
    mutating func recipients(of batch: BatchID) throws -> Recipients? {
        if let known = addresses[batch] { return known }
        let found = try SQLLedger.batchText(db, batch).flatMap { try? Recipients(decodingAddresses: $0) }
        if addresses.count >= Self.mostBatches { addresses = [:] }
        addresses[batch] = .some(found)
        return found
    }

    /// The visits of recipients who have nearly as many as are kept. What the ledger has of them is read, so that one that comes again
    /// takes no place.
    private struct Crowd {
        private struct Visit: Hashable {
            var at: Int64
            var detail: String
        }

        private let most: Int
        private var counts: [Occurrence.Key: Int]
        private let new: [Occurrence.Key: Int]
        private var visits: [Occurrence.Key: Set<Visit>] = [:]

        /// - Parameter counts: of what the ledger has.
        init(_ counts: [Occurrence.Key: Int], _ events: [Occurrence], most: Int) {
            (self.counts, self.most) = (counts, most)
            new = Dictionary(events.map { ($0.key, 1) }, uniquingKeysWith: +)
        }

        mutating func takes(_ event: Occurrence, _ db: any SQLTransaction) throws -> Bool {
            let count = counts[event.key] ?? 0
            if count >= most { return false }
            if count + (new[event.key] ?? 0) <= most { return true }
            var known = try visits[event.key] ?? load(event.key, db)
            let isNew = known.insert(Visit(at: event.at, detail: event.detail)).inserted
            visits[event.key] = known
            if isNew { counts[event.key] = count + 1 }
            return isNew
        }

        private func load(_ key: Occurrence.Key, _ db: any SQLTransaction) throws -> Set<Visit> {
            let rows = try db.allRows(
                "SELECT at, detail FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ?", key.values)
            return Set(try rows.map { try Visit(at: $0.read(0), detail: $0.read(1)) })
        }
    }
}
