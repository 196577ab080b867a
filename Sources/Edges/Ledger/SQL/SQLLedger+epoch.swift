extension SQLLedger: EpochNoteStore {
    package func epochNote() async throws(LedgerError) -> EpochNote? {
        try await read("reading the epoch of Redis") { db in
            let cursor = try db.rows("SELECT text, boot FROM epoch")
            guard let row = try cursor.next() else { return nil }
            let workers = try Set(db.all(String.self, "SELECT name FROM epoch_worker"))
            return try EpochNote(epoch: row.read(0), boot: row.read(1), workers: workers)
        }
    }

    package func setEpochNote(_ note: EpochNote?) async throws(LedgerError) {
        try await write("epoch") { [self] db in
            try requirePlanning(db)
            try db.run("DELETE FROM epoch")
            try db.run("DELETE FROM epoch_worker")
            guard let note else { return }
            try db.run("INSERT INTO epoch (text, boot) VALUES (?, ?)", [note.epoch, note.boot])
            for worker in note.workers {
                try db.run("INSERT INTO epoch_worker (name) VALUES (?)", [worker])
            }
        }
    }

    package func redisProblem() async throws(LedgerError) -> String? {
        try await read("reading the problem of Redis") { db in
            try db.one(String.self, "SELECT text FROM redis_problem")
        }
    }

    package func setRedisProblem(_ problem: String?) async throws(LedgerError) {
        try await write("problem of Redis") { [self] db in
            try requirePlanning(db)
            try db.run("DELETE FROM redis_problem")
            if let problem { try db.run("INSERT INTO redis_problem (text) VALUES (?)", [problem]) }
        }
    }
}
