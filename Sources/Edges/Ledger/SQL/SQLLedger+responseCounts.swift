import Model
import Text

extension SQLLedger {
    /// The different responses of one mailing within one transaction, and how their counts change.
    struct ResponseCounts {
        /// What a response that is counted is.
        enum Origin: String {
            case provider
            /// Nothing was tried, because the limit of the recipient's domain left no room for long.
            case domainLimit = "domain_limit"
            /// The mailing's lifetime was over before the first attempt.
            case lifetime
            /// A person said that the message did not arrive.
            case person
            /// Nobody answered.
            case none
        }

        private struct Key: Hashable {
            var origin: Origin
            var kind: String
            var code: Int
            var text: String

            init(origin: Origin, kind: String, code: Int, text: String) {
                self.origin = origin
                self.kind = kind
                self.code = code
                self.text = text
            }

            init(_ response: ProviderResponse) {
                // What a worker puts off itself has the reason of a provider that is asked too much, and no code.
                self.init(
                    origin: response.reason == .rate && response.code == 0 ? .domainLimit : .provider,
                    kind: response.reason.rawValue, code: response.code, text: ResponseGrouping.normalise(response.text))
            }

            /// What no provider said.
            init(_ origin: Origin, text: String) {
                self.init(origin: origin, kind: "none", code: 0, text: text)
            }

            /// The key of those that are counted together because there are too many different ones. Codes are a provider's to choose, too.
            var gathered: Key {
                var key = self
                key.code = 0
                key.text = origin == .domainLimit ? "other domain limits" : ResponseGrouping.other
                return key
            }
        }

        let mailing: MailingID
        private var ids: [Key: Int64]?
        private var distinct = 0
        private var changes: [Int64: Int] = [:]

        init(mailing: MailingID) { self.mailing = mailing }

        /// The id of a response, counted under its class with the text `other` where there are too many texts already.
        mutating func id(_ db: any SQLTransaction, _ response: ProviderResponse?) throws -> Int64 {
            guard let response else { return try id(db, Key(.none, text: "no answer of a provider")) }
            return try id(db, Key(response))
        }

        mutating func neverTried(_ db: any SQLTransaction) throws -> Int64 {
            try id(db, Key(.lifetime, text: "the lifetime was over before the first attempt"))
        }

        /// The response of those of whom a person said that the message did not arrive.
        mutating func settledByHand(_ db: any SQLTransaction) throws -> Int64 { try id(db, Key(.person, text: "settled by hand")) }

        private mutating func id(_ db: any SQLTransaction, _ key: Key) throws -> Int64 {
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
                try new
                ?? db.one(Int64.self, "SELECT id FROM failure WHERE mailing = ? AND class = ? AND code = ? AND text = ?", values)
            guard let id else { throw SQLDamage("a response of mailing \(mailing) is and is not there") }
            known[key] = id
            return id
        }

        private mutating func load(_ db: any SQLTransaction) throws -> [Key: Int64] {
            var known: [Key: Int64] = [:]
            let cursor = try db.rows("SELECT id, class, code, text, origin FROM failure WHERE mailing = ?", [mailing.description])
            while let row = try cursor.next() {
                let origin = try Origin(rawValue: row.read(4)) ?? .provider
                try known[Key(origin: origin, kind: row.read(1), code: row.read(2), text: row.read(3))] = row.read(0) as Int64
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
}
