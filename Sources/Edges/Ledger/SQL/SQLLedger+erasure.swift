import Model
import Text

extension SQLLedger: ErasureStore {
    /// Excluded rows that one transaction empties.
    private static let rows = 500

    package func erase(_ person: ErasedPerson, note: AuditNote?, now: Int64) async throws(LedgerError) -> Erasure {
        let search = AddressSearch(person.addresses)
        guard !search.isEmpty else { return Erasure() }
        // Whoever is interrupted finds the rest by the address. It is noted first: a copy that takes the ledger's place then is emptied.
        try await write("erase") { db in try ErasureList.note(db, person, now: now) }
        let found = try await read("finding an address") { db in
            (
                batches: try ErasedBatch.find(db, search.addresses), rows: try ErasedRow.find(db, search),
                letters: try ErasedTexts.letters(db, search)
            )
        }
        var erasure = Erasure()
        // A batch at a time, so that others get at the ledger meanwhile.
        for batch in found.batches {
            let part = try await write("erase") { db in try batch.erase(db, search) }
            erasure.recipients += part.recipients
            erasure.letters += part.letters
            erasure.open += part.open
        }
        var rows = found.rows[...]
        while !rows.isEmpty {
            let part = rows.prefix(Self.rows)
            try await write("erase") { db in for row in part { try row.erase(db) } }
            erasure.excluded += part.count
            rows = rows.dropFirst(Self.rows)
        }
        // Recipients' files that no planner needs any more.
        while try await removeUploads() {}
        let before = erasure
        let whole = try await write("erase") { db in
            var erasure = before
            for letter in found.letters { erasure.letters += try ErasedTexts.empty(db, letter) }
            try ErasedTexts.erase(db, search)
            try ErasedSuppressions.erase(db, person, &erasure)
            erasure.customers = try Self.removeCustomers(
                db, "SELECT customer FROM customer_address WHERE key IN (SELECT value FROM \(db.elements))",
                Set(person.addresses + search.addresses).sorted())
            try PrunedAddresses.erase(db, person.addresses + search.addresses)
            erasure.unplanned = try db.all(
                String.self,
                "SELECT id FROM mailing WHERE planning_done = 0 AND state NOT IN ('sent', 'stopped', 'failed') ORDER BY id"
            ).compactMap { MailingID($0) }
            if erasure.hasErased {
                var after = AuditedValues()
                after.recipients = erasure.recipients
                try Self.note(db, note, on: .ledger, before: AuditedValues(), after: after, now: now)
            }
            return erasure
        }
        await engine.dropOverwritten()
        return whole
    }
}
