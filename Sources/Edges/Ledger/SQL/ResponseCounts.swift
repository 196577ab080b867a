import Model
import Text

/// The different responses of one mailing within one transaction, and how their counts change.
struct ResponseCounts {
    let mailing: MailingID
    private var ids: [ResponseKey: Int64]?
    private var distinct = 0
    private var changes: [Int64: Int] = [:]

    init(mailing: MailingID) { self.mailing = mailing }

    /// The id of a response. Where a mailing has too many different texts, a response is counted under its class with the text `other`.
    mutating func id(_ db: any SQLTransaction, _ response: ProviderResponse?) throws -> Int64 {
        try id(db, response.map { ResponseKey($0) } ?? .unanswered)
    }

    mutating func id(_ db: any SQLTransaction, _ key: ResponseKey) throws -> Int64 {
        var known = try ids ?? load(db)
        ids = nil
        defer { ids = known }
        if let id = known[key] { return id }
        var key = key
        if distinct >= ResponseGrouping.distinctLimit {
            key = key.gathered
            if let id = known[key] { return id }
        } else {
            distinct += 1
        }
        let values: [any SQLConvertible] = [mailing.description, key.kind, key.code, key.text]
        let new = try db.one(
            Int64.self,
            "INSERT INTO failure (mailing, class, code, text, origin) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
            values + [key.origin.rawValue])
        // Another transaction may have added it meanwhile.
        let id =
            try new ?? db.one(Int64.self, "SELECT id FROM failure WHERE mailing = ? AND class = ? AND code = ? AND text = ?", values)
        guard let id else { throw SQLDamage("a response of mailing \(mailing) is and is not there") }
        known[key] = id
        return id
    }

    private mutating func load(_ db: any SQLTransaction) throws -> [ResponseKey: Int64] {
        var known: [ResponseKey: Int64] = [:]
        let cursor = try db.rows("SELECT id, class, code, text, origin FROM failure WHERE mailing = ?", [mailing.description])
        while let row = try cursor.next() {
            let origin = try ResponseKey.Origin(rawValue: row.read(4)) ?? .provider
            try known[ResponseKey(origin: origin, kind: row.read(1), code: row.read(2), text: row.read(3))] = row.read(0) as Int64
        }
        distinct = known.count
        return known
    }

    /// Counts `change` more recipients whose last response it was.
    mutating func add(_ id: Int64, _ change: Int) { changes[id, default: 0] += change }

    func store(_ db: any SQLTransaction) throws {
        for (id, change) in changes.sorted(by: { $0.key < $1.key }) where change != 0 {
            try db.add(to: "failure", ["id": id], ["n": change])
        }
    }
}
