import GRDB

/// The ledger's tables. A released table changes only by a further migration.
enum Schema {
    /// `PRAGMA application_id` of a ledger: "FLOT".
    static let applicationID: Int32 = 0x464c_4f54

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 tables") { db in
            try db.execute(sql: tables)
            try db.execute(sql: "INSERT INTO ledger (identity) VALUES (lower(hex(randomblob(8))))")
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        }
        // The migration "5 words" makes these tables anew.
        migrator.registerMigration("1 views") { _ in }
        migrator.registerMigration("2 start") { db in
            try db.execute(sql: "ALTER TABLE mailing ADD COLUMN start INTEGER")
        }
        migrator.registerMigration("3 limits") { db in
            // Limits that operators set in place of the configuration's: a limit as text, or none; changed in milliseconds since 1970.
            try db.execute(
                sql: """
                    CREATE TABLE limit_override (
                        scope TEXT PRIMARY KEY NOT NULL,
                        text TEXT NOT NULL,
                        changed INTEGER NOT NULL
                    ) STRICT
                    """)
        }
        migrator.registerMigration("4 work") { db in try db.execute(sql: work) }
        migrator.registerMigration("5 words") { db in
            try db.execute(sql: words)
            try db.execute(sql: views)
        }
        migrator.registerMigration("6 reasons") { db in try db.execute(sql: reasons) }
        migrator.registerMigration("7 control") { db in
            try db.execute(sql: control)
            try resolveIdentities(db)
        }
        migrator.registerMigration("8 wire") { db in try db.execute(sql: wire) }
        migrator.registerMigration("9 epoch") { db in try db.execute(sql: epoch) }
        migrator.registerMigration("10 copies") { db in try db.execute(sql: copies + checksum) }
        migrator.registerMigration("11 unverified") { db in try db.execute(sql: unverified) }
        migrator.registerMigration("12 missed") { db in try db.execute(sql: missed) }
        migrator.registerMigration("13 restored") { db in try db.execute(sql: restored) }
        migrator.registerMigration("17 letters") { db in try db.execute(sql: letters) }
        // Older checksums did not cover each bit of a row. Where no checksum is known, none is compared.
        migrator.registerMigration("18 checksum") { db in try db.execute(sql: "UPDATE mailing SET source_checksum = NULL") }
        migrator.registerMigration("19 redis problem") { db in try db.execute(sql: redisProblem) }
        migrator.registerMigration("21 suppressions") { db in
            try db.execute(sql: suppressions)
            try db.execute(sql: dropViews)
            try db.execute(sql: views)
        }
        migrator.registerMigration("22 retention") { db in try db.execute(sql: retention) }
        migrator.registerMigration("23 removals") { db in try db.execute(sql: removals) }
        migrator.registerMigration("25 scale") { db in try db.execute(sql: scale) }
        migrator.registerMigration("26 upload") { db in try db.execute(sql: upload) }
        migrator.registerMigration("27 waiting") { db in try db.execute(sql: waiting) }
        migrator.registerMigration("29 erasure") { db in try db.execute(sql: erasure) }
        migrator.registerMigration("30 events") { db in try db.execute(sql: events) }
        migrator.registerMigration("33 numbers") { db in try db.execute(sql: numbers) }
        migrator.registerMigration("34 event groups") { db in try makeEventGroups(db) }
        migrator.registerMigration("36 receipts") { db in try db.execute(sql: receipts) }
        migrator.registerMigration("38 channels") { db in try db.execute(sql: channels) }
        migrator.registerMigration("40 pruned addresses") { db in try db.execute(sql: prunedAddresses) }
        migrator.registerMigration("41 webhooks") { db in try db.execute(sql: webhooks) }
        migrator.registerMigration("42 suppression provider") { db in try db.execute(sql: suppressionProvider) }
        migrator.registerMigration("43 soft bounces") { db in try db.execute(sql: softBounces) }
        migrator.registerMigration("44 rounds") { db in try db.execute(sql: rounds) }
        migrator.registerMigration("45 brake") { db in try db.execute(sql: brake) }
        migrator.registerMigration("50 customers") { db in try db.execute(sql: customers) }
        migrator.registerMigration("51 history") { db in try db.execute(sql: history) }
        return migrator
    }
}
