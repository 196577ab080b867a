import Model
package import Policy
import Text

extension SQLLedger: VisitDomainStore {
    /// Batches that are in memory at a time.
    private static let batchesAtOnce = 100

    package func domains(of mailing: UInt32, batches: Set<Int>) async throws(LedgerError) -> [Int: [UInt32]] {
        try await read("looking for domains") { db in
            guard let id = try Self.mailingWithDomains(db, mailing) else { return [:] }
            var domains: [Int: [UInt32]] = [:]
            for number in batches.sorted() {
                guard let wire = try Self.batchText(db, BatchID(mailing: id, number: number)) else { continue }
                domains[number] = Self.domains(wire)
            }
            return domains
        }
    }

    package func domainSizes(of mailing: UInt32) async throws(LedgerError) -> [UInt32: Int] {
        try await read("counting domains") { db in
            guard let id = try Self.mailingWithDomains(db, mailing) else { return [:] }
            var sizes: [UInt32: Int] = [:]
            var last = -1
            while true {
                let rows = try db.allRows(
                    "SELECT number, recipients FROM batch WHERE mailing = ? AND number > ? ORDER BY number LIMIT ?",
                    [id.description, last, Self.batchesAtOnce])
                for row in rows {
                    last = try row.read(0)
                    for domain in Self.domains(try row.read(1) as [UInt8]) where domain != 0 { sizes[domain, default: 0] += 1 }
                }
                if rows.count < Self.batchesAtOnce { return sizes }
            }
        }
    }

    private static func mailingWithDomains(_ db: any SQLTransaction, _ number: UInt32) throws -> MailingID? {
        let id = try db.one(
            String.self, "SELECT id FROM mailing WHERE number = ? AND channel = ? AND pruned IS NULL",
            [Int64(number), Channel.email.rawValue])
        return id.flatMap { MailingID($0) }
    }

    /// Of a batch that cannot be read nobody has a domain.
    private static func domains(_ wire: [UInt8]) -> [UInt32] {
        guard let recipients = try? Recipients(decodingAddresses: wire) else { return [] }
        return (0..<recipients.count).map { row in
            let address = recipients.bytes[recipients.range(row, 1)]
            guard let at = address.lastIndex(of: UInt8(ascii: "@")), at + 1 < address.endIndex else { return 0 }
            return AddressHash.of(address[(at + 1)...])
        }
    }

    package func mark(_ visits: [LinkVisit], _ rules: EventRules) async throws(LedgerError) -> Int {
        guard !visits.isEmpty else { return 0 }
        return try await write("mark_events", .alone) { db in
            var changed = 0
            for (number, visits) in Dictionary(grouping: visits, by: \.mailing).sorted(by: { $0.key < $1.key }) {
                guard let id = try Self.mailingWithDomains(db, number) else { continue }
                changed += try Self.mark(db, id, visits, rules)
            }
            return changed
        }
    }

    private static func mark(_ db: any SQLTransaction, _ id: MailingID, _ visits: [LinkVisit], _ rules: EventRules) throws -> Int {
        let marks = Dictionary(grouping: visits) { EventOrder.recipient(batch: Int($0.batch), index: Int($0.index)) }
        var writing = EventWriting(db, rules)
        let changed = try writing.reclassify(marks.keys, of: id) { recipient, events in
            for visit in marks[recipient] ?? [] {
                for place in events.indices where events[place].isVisit(visit) { events[place].damaged = true }
            }
        }
        // Those that wait are a machine's when they are counted.
        return try changed + EventLog(db).mark(visits, of: id)
    }
}

extension StoredEvent {
    fileprivate func isVisit(_ visit: LinkVisit) -> Bool {
        action == .click && method != .post && link == visit.link && time == visit.time
    }
}
