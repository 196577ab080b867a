import Model

/// The addresses of some recipients, read from their batches with a few statements for all of them.
enum DeliveryAddresses {
    /// A recipient's place in the plan.
    struct Place: Hashable {
        var batch: BatchID
        /// From 0.
        var index: Int
    }

    /// Batches that are in memory at a time.
    private static let batchesAtOnce = 16

    /// Whom the recipients are suppressed as, for all mailings of the channel by which each was sent to. Those are missing whose values
    /// were erased or are not kept any more, and those of a batch that cannot be read.
    static func load(_ db: any SQLTransaction, _ places: some Sequence<Place>) throws -> [Place: Suppression.Key] {
        let wanted = Dictionary(grouping: Set(places), by: \.batch)
        let batches = wanted.keys.sorted { ($0.mailing, $0.number) < ($1.mailing, $1.number) }
        let channels = try channels(db, Set(batches.map(\.mailing)).sorted())
        var keys: [Place: Suppression.Key] = [:]
        for start in stride(from: 0, to: batches.count, by: batchesAtOnce) {
            let some = batches[start..<min(start + batchesAtOnce, batches.count)]
            let found: [(wire: [UInt8], channel: String?)?] = try db.firstRows(
                "SELECT recipients, channel FROM batch WHERE mailing = ? AND number = ?",
                some.map { [$0.mailing.description, $0.number] }
            ) { row, _ in try (row.bytes(0) ?? [], row.read(1)) }
            for (batch, found) in zip(some, found) {
                guard let found, let places = wanted[batch],
                    let channel = found.channel.flatMap({ Channel(rawValue: $0) }) ?? channels[batch.mailing],
                    let rows = try? Recipients.rows(Set(places.map(\.index)), of: found.wire, addressesAlone: true)
                else { continue }
                for place in places {
                    guard let row = rows[place.index] else { continue }
                    let address = EventWriting.address(row, 0, channel)
                    if !address.isEmpty { keys[place] = Suppression.Key(channel, address) }
                }
            }
        }
        return keys
    }

    private static func channels(_ db: any SQLTransaction, _ mailings: [MailingID]) throws -> [MailingID: Channel] {
        let found: [Channel??] = try db.firstRows("SELECT channel FROM mailing WHERE id = ?", mailings.map { [$0.description] }) { row, _ in
            try Channel(rawValue: row.read(0))
        }
        return Dictionary(uniqueKeysWithValues: zip(mailings, found).compactMap { id, channel in (channel ?? nil).map { (id, $0) } })
    }
}
