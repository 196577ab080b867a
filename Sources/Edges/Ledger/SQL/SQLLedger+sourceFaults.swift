package import Model

extension SQLLedger {
    package func note(_ fault: SourceFault, of id: MailingID, now: Int64) async throws(LedgerError) {
        try await write("unreadable recipients") { db in
            // A fault that is reported again wakes nobody.
            try db.run(
                """
                INSERT INTO source_fault (mailing, host, problem, at) VALUES (?, ?, ?, ?)
                ON CONFLICT (mailing, host) DO UPDATE SET problem = excluded.problem, at = excluded.at
                WHERE source_fault.problem <> excluded.problem
                """, [id.description, fault.host, fault.problem, now])
        }
    }

    package func sourceFaults() async throws(LedgerError) -> [MailingID: [SourceFault]] {
        try await read("reading what is said of recipients' files") { db in
            var faults: [MailingID: [SourceFault]] = [:]
            let rows = try db.allRows(
                """
                SELECT f.mailing, f.host, f.problem FROM source_fault f JOIN mailing m ON m.id = f.mailing
                WHERE m.planning_done = 0 AND m.state NOT IN ('sent', 'stopped', 'failed') ORDER BY f.mailing, f.at, f.host LIMIT 1000
                """)
            for row in rows {
                // What cannot be read of one keeps nobody from planning the others.
                guard let id = (try? row.read(0) as String).flatMap(MailingID.init), let host = try? row.read(1) as String,
                    let problem = try? row.read(2) as String
                else { continue }
                faults[id, default: []].append(SourceFault(host: host, problem: problem))
            }
            return faults
        }
    }

    package func unreadSources(limit: Int) async throws(LedgerError) -> [MailingRecord] {
        try await read("looking for recipients that nobody could read") { db in
            try MailingRecord.all(
                db,
                """
                WHERE state IN ('scheduled', 'collecting') AND id IN (SELECT mailing FROM source_fault)
                    AND NOT EXISTS (SELECT 1 FROM upload WHERE upload.mailing = mailing.id AND digest IS NOT NULL)
                ORDER BY id LIMIT ?
                """, [limit]
            ).records
        }
    }
}
