import Foundation
import GRDB

/// The 34th migration: visits of many recipients in a row, a log of those that are not counted yet, and by which rules they were
/// classified.
extension Schema {
    static func makeEventGroups(_ db: Database) throws {
        try db.execute(sql: eventGroups)
        try fillEventGroups(db)
        try db.execute(sql: "DROP TABLE event_recipient")
    }

    private static let eventGroups = """
        -- Events that are kept and not counted yet. slice: the batches from 64 * slice on. n: how many. data: packed (`EventBatch`).
        CREATE TABLE event_log (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            mailing TEXT NOT NULL,
            slice INTEGER NOT NULL,
            n INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT;
        CREATE INDEX event_log_slice ON event_log (mailing, slice, n);

        -- All counted events of the recipients from 64 * part on of a batch, packed (`StoredEventGroup`). Rows are long: they stand
        -- outside of the index, which would be deep otherwise.
        CREATE TABLE event_group (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            part INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (mailing, batch, part)
        ) STRICT;

        -- The versions of the rules by which a mailing's events were classified.
        CREATE TABLE event_rules (
            mailing TEXT NOT NULL,
            version TEXT NOT NULL,
            PRIMARY KEY (mailing, version)
        ) STRICT, WITHOUT ROWID;
        """

    /// The events of each recipient stood in a row of their own.
    private static func fillEventGroups(_ db: Database) throws {
        struct Key: Equatable {
            var mailing: String
            var batch: Int
            var part: Int
        }
        var last: (key: Key, group: StoredEventGroup)?
        func store() throws {
            guard let (key, group) = last, !group.isEmpty else { return }
            try db.cachedStatement(sql: "INSERT INTO event_group (mailing, batch, part, data) VALUES (?, ?, ?, ?)")
                .execute(arguments: [key.mailing, key.batch, key.part, Data(group.bytes)])
        }
        let rows = try Row.fetchCursor(db, sql: "SELECT mailing, batch, idx, data FROM event_recipient ORDER BY mailing, batch, idx")
        while let row = try rows.next() {
            let index: Int = row[2]
            guard index >= 0 else { continue }
            let key = Key(mailing: row[0], batch: row[1], part: StoredEventGroup.part(of: index))
            if last?.key != key {
                try store()
                last = (key, StoredEventGroup())
            }
            last?.group.set(packed: Array(row[3] as Data), at: index % StoredEventGroup.size)
        }
        try store()
    }
}
