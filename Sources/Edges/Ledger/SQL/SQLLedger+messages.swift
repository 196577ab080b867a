import Model
import Text

extension SQLLedger: MessageStore {
    package func recipients(
        ofMessage message: String, provider: String?, limit: Int
    ) async throws(LedgerError) -> [RecipientDetail] {
        guard !message.isEmpty else { return [] }
        var quoted = JSONWriter()
        quoted.string(message.utf8)
        let wanted = String(decoding: quoted.bytes, as: UTF8.self)
        return try await read("finding a message") { db in
            let rows = try db.rows(
                """
                SELECT mailing, batch, base, data FROM result WHERE (?1 IS NULL OR provider = ?1) AND instr(data, ?2) > 0
                ORDER BY mailing DESC, batch, dispatch, worker, sequence
                """, [provider, wanted])
            var places: [(batch: BatchID, index: Int)] = []
            while places.count < limit, let row = try rows.next() {
                guard let mailing = try MailingID(row.read(0) as String) else { continue }
                let id = try BatchID(mailing: mailing, number: row.read(1))
                let wire = try row.read(3) as [UInt8]
                for result in try [RecipientResult](decoding: wire, base: row.read(2))
                where result.response?.messageID == message && !places.contains(where: { $0.batch == id && $0.index == result.index }) {
                    places.append((id, result.index))
                }
            }
            var details: [RecipientDetail] = []
            for place in places.prefix(limit) {
                let record = try Self.record(db, of: place.batch)
                let recipients = try Self.recipients(db, place.batch, record.mailing.fields.count)
                let found = Found(record: record, batch: place.batch, index: place.index, recipients: recipients)
                if let detail = try Self.detail(db, record, found) { details.append(detail) }
            }
            return details
        }
    }

    package func hasAttempts(through provider: String) async throws(LedgerError) -> Bool {
        try await read("finding a provider") { db in
            try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM result WHERE provider = ?)", [provider]) ?? false
        }
    }
}
