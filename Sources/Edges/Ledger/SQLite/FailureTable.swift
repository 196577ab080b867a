import GRDB
import Model

/// The different responses of one mailing within one transaction, and how their counts change.
struct FailureTable {
    private struct Key: Hashable {
        var kind: String
        var code: Int
        var text: String
    }

    /// The text of those whose lifetime was over before a first attempt.
    private static let overdue = "the lifetime was over before the first attempt"

    let mailing: MailingID
    private var ids: [Key: Int64]?
    private var distinct = 0
    private var changes: [Int64: Int] = [:]

    init(mailing: MailingID) { self.mailing = mailing }

    /// The id of a response, counted under its class and code with the text `other` where there are too many texts already.
    mutating func id(_ db: Database, _ response: ProviderResponse?) throws -> Int64 {
        guard let response else { return try id(db, Key(kind: "none", code: 0, text: "no answer of a provider")) }
        return try id(db, Key(kind: response.kind.rawValue, code: response.code, text: ResponseGrouping.normalise(response.text)))
    }

    mutating func neverTried(_ db: Database) throws -> Int64 {
        try id(db, Key(kind: "none", code: 0, text: Self.overdue))
    }

    /// The response of those of whom a person said that the message did not arrive.
    mutating func settledByHand(_ db: Database) throws -> Int64 {
        try id(db, Key(kind: "none", code: 0, text: "settled by hand"))
    }

    private mutating func id(_ db: Database, _ key: Key) throws -> Int64 {
        var known = try ids ?? load(db)
        ids = nil
        defer { ids = known }
        if let id = known[key] { return id }
        var key = key
        if distinct >= ResponseGrouping.distinctLimit {
            // Codes are a provider's to choose, too.
            key = Key(kind: key.kind, code: 0, text: ResponseGrouping.other)
            if let id = known[key] { return id }
        } else {
            distinct += 1
        }
        try db.execute(
            sql: "INSERT INTO failure (mailing, class, code, text) VALUES (?, ?, ?, ?)",
            arguments: [mailing.description, key.kind, key.code, key.text])
        known[key] = db.lastInsertedRowID
        return db.lastInsertedRowID
    }

    private mutating func load(_ db: Database) throws -> [Key: Int64] {
        var known: [Key: Int64] = [:]
        let cursor = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT id, class, code, text FROM failure WHERE mailing = ?"),
            arguments: [mailing.description])
        while let row = try cursor.next() { known[Key(kind: row[1], code: row[2], text: row[3])] = row[0] as Int64 }
        distinct = known.count
        return known
    }

    /// Counts `change` more recipients whose last response it was.
    mutating func add(_ id: Int64, _ change: Int) { changes[id, default: 0] += change }

    func store(_ db: Database) throws {
        for (id, change) in changes where change != 0 {
            try db.cachedStatement(sql: "UPDATE failure SET n = n + ? WHERE id = ?").execute(arguments: [change, id])
        }
    }
}
