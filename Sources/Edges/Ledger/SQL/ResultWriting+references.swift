import Model
import Text

/// By what providers call our messages their receipts are found. Only ids of providers whose webhooks are set up are kept, for 30 days.
enum MessageReference {
    /// How long an id is known.
    static let days: Int64 = 30
    private static let dayTime: Int64 = 86_400_000

    static func day(_ time: Int64) -> Int64 { time / dayTime }

    /// Names an id in the ledger. Two with one hash among millions are as good as impossible, and nobody but the provider chooses them.
    static func hash(_ provider: String, _ id: String) -> Int64 {
        let hash = (Array(provider.utf8) + [0] + Array(id.utf8)).reduce(FNV.seed64) { FNV.step($0, $1) }
        return Int64(bitPattern: hash)
    }
}

extension SQLLedger.ResultWriting {
    /// Notes by which ids a group's messages are found.
    mutating func note(_ group: ResultGroup) throws {
        let known: Set<String>
        if let expected { known = expected } else { known = Set(try db.all(String.self, "SELECT name FROM receipt_provider")) }
        expected = known
        guard known.contains(group.provider) else { return }
        for result in group.results {
            guard let id = result.response?.messageID, !id.isEmpty else { continue }
            references.append([
                MessageReference.day(result.at), MessageReference.hash(group.provider, id), group.batch.mailing.description,
                group.batch.number, result.index,
            ])
        }
    }

    func storeReferences() throws {
        guard !references.isEmpty else { return }
        try db.runAll(
            "INSERT INTO message_reference (day, hash, mailing, batch, idx) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", references)
    }
}
