import GRDB

extension SQLiteLedger: EpochNoteStore {
    package func epochNote() async throws(LedgerError) -> EpochNote? {
        try await read("reading the epoch of Redis") { db in
            let cursor = try Row.fetchCursor(db.cachedStatement(sql: "SELECT text, boot FROM epoch"))
            guard let row = try cursor.next() else { return nil }
            let workers = try String.fetchSet(db.cachedStatement(sql: "SELECT name FROM epoch_worker"))
            return try EpochNote(epoch: row.read(0), boot: row.read(1), workers: workers)
        }
    }

    package func setEpochNote(_ note: EpochNote?) async throws(LedgerError) {
        try await write("epoch") { [self] db in
            try requirePlanning(db)
            try db.execute(sql: "DELETE FROM epoch; DELETE FROM epoch_worker")
            guard let note else { return }
            try db.execute(sql: "INSERT INTO epoch (text, boot) VALUES (?, ?)", arguments: [note.epoch, note.boot])
            for worker in note.workers {
                try db.cachedStatement(sql: "INSERT INTO epoch_worker (name) VALUES (?)").execute(arguments: [worker])
            }
        }
    }

    package func redisProblem() async throws(LedgerError) -> String? {
        try await read("reading what holds Redis up") { db in
            try String.fetchOne(db.cachedStatement(sql: "SELECT text FROM redis_problem"))
        }
    }

    package func setRedisProblem(_ problem: String?) async throws(LedgerError) {
        try await write("problem of Redis") { [self] db in
            try requirePlanning(db)
            try db.execute(sql: "DELETE FROM redis_problem")
            if let problem { try db.execute(sql: "INSERT INTO redis_problem (text) VALUES (?)", arguments: [problem]) }
        }
    }
}
