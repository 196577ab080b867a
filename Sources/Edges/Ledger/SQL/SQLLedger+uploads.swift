package import Model

extension SQLLedger: UploadStore {
    package func beginUpload(_ id: MailingID, by holder: String, modified: Int64) async throws(LedgerError) -> Bool {
        try await write("upload") { db in
            let now = try db.now()
            guard let found = try db.row("SELECT holder, at, digest FROM upload WHERE mailing = ?\(db.locking)", [id.description]) else {
                try db.run(
                    """
                    INSERT INTO upload (mailing, holder, at, parts, bytes, modified) VALUES (?, ?, ?, 0, 0, ?)
                    ON CONFLICT (mailing) DO NOTHING
                    """, [id.description, holder, now, modified])
                return db.changes == 1
            }
            let owner: String = try found.read(0)
            let last: Int64 = try found.read(1)
            guard try found.text(2) == nil, owner == holder || last < now - UploadLimit.silence.milliseconds else { return false }
            // Slices of an earlier attempt are replaced one by one. Those behind the last slice are removed at the end.
            try db.run(
                "UPDATE upload SET holder = ?, at = ?, parts = 0, bytes = 0, modified = ? WHERE mailing = ?",
                [holder, now, modified, id.description])
            return true
        }
    }

    package func append(_ slice: [UInt8], number: Int, to id: MailingID, by holder: String) async throws(LedgerError) {
        guard slice.count <= UploadLimit.slice else { throw .refused("a slice of \(slice.count) bytes is too large to be stored") }
        let packed = SliceCompression.pack(slice)
        try await write("upload", .sideBySide) { db in
            try db.run(
                """
                UPDATE upload SET parts = parts + 1, bytes = bytes + ?, at = ?
                WHERE mailing = ? AND holder = ? AND parts = ? AND digest IS NULL
                """, [slice.count, db.now(), id.description, holder, number])
            guard db.changes == 1 else { throw LedgerError.refused("somebody else stores the recipients of mailing \(id)") }
            try db.run(
                """
                INSERT INTO upload_part (mailing, number, content) VALUES (?, ?, ?)
                ON CONFLICT (mailing, number) DO UPDATE SET content = excluded.content
                """, [id.description, number, packed])
        }
    }

    package func finishUpload(_ id: MailingID, by holder: String, digest: String) async throws(LedgerError) {
        try await write("upload") { db in
            try db.run(
                "UPDATE upload SET digest = ?, at = ? WHERE mailing = ? AND holder = ? AND digest IS NULL",
                [digest, db.now(), id.description, holder])
            guard db.changes == 1 else { throw LedgerError.refused("somebody else stores the recipients of mailing \(id)") }
            try db.run("DELETE FROM source_fault WHERE mailing = ?", [id.description])
        }
    }

    package func abandonUpload(_ id: MailingID, by holder: String) async throws(LedgerError) {
        try await write("upload") { db in
            try db.run(
                "UPDATE upload SET at = 0, digest = NULL, holder = '' WHERE mailing = ? AND holder = ?", [id.description, holder])
        }
    }

    package func uploads() async throws(LedgerError) -> [MailingID: RecipientUpload] {
        try await read("looking for stored recipients") { db in
            var found: [MailingID: RecipientUpload] = [:]
            for row in try db.allRows("SELECT mailing, bytes, modified, digest FROM upload WHERE digest IS NOT NULL") {
                guard let id = (try? row.read(0) as String).flatMap(MailingID.init) else { continue }
                found[id] = .of(row)
            }
            return found
        }
    }

    package func isStoringUploads() async throws(LedgerError) -> Bool {
        try await read("looking who stores recipients") { db in
            try db.one(
                Bool.self, "SELECT EXISTS (SELECT 1 FROM upload WHERE digest IS NULL AND holder <> '' AND at > ?)",
                [db.now() - UploadLimit.silence.milliseconds]) ?? false
        }
    }

    package func slice(_ number: Int, of id: MailingID) async throws(LedgerError) -> [UInt8]? {
        try await read("reading stored recipients") { db in
            let row = try db.row(
                """
                SELECT content FROM upload_part WHERE mailing = ?1 AND number = ?2
                    AND number < (SELECT parts FROM upload WHERE mailing = ?1)
                """, [id.description, number])
            return try row.map { try SliceCompression.unpack($0.read(0)) }
        }
    }

    package func removeUploads() async throws(LedgerError) -> Bool {
        try await write("upload") { db in
            try db.run(
                """
                DELETE FROM source_fault WHERE EXISTS (
                    SELECT 1 FROM mailing m WHERE m.id = source_fault.mailing
                        AND (m.planning_done = 1 OR m.state IN ('sent', 'stopped', 'failed')))
                """)
            let over = try db.one(
                String.self,
                """
                SELECT u.mailing FROM upload u LEFT JOIN mailing m ON m.id = u.mailing
                WHERE (m.id IS NULL AND u.at < ?) OR m.planning_done = 1 OR m.state IN ('sent', 'stopped', 'failed')
                LIMIT 1
                """, [db.now() - UploadLimit.abandoned.milliseconds])
            guard let over else { return false }
            try db.run(
                """
                DELETE FROM upload_part WHERE mailing = ?1 AND number IN (
                    SELECT number FROM upload_part WHERE mailing = ?1 ORDER BY number LIMIT ?2)
                """, [over, UploadLimit.removed])
            if db.changes == 0 { try db.run("DELETE FROM upload WHERE mailing = ?", [over]) }
            return true
        }
    }
}

extension RecipientUpload {
    /// A row that cannot be read ends the mailing that it is of, and no other.
    fileprivate static func of(_ row: any SQLRow) -> RecipientUpload {
        do {
            return RecipientUpload(bytes: try row.read(1), modified: try row.read(2), digest: try row.read(3))
        } catch {
            var damaged = RecipientUpload(bytes: 0, modified: 0, digest: "")
            damaged.damage = (error as? SQLDamage)?.text ?? "\(error)"
            return damaged
        }
    }
}
