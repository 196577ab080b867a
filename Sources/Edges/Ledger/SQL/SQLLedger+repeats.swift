package import Model

extension SQLLedger: RepeatStore {
    package func earlier(_ identity: MailingIdentity) async throws(LedgerError) -> EarlierMailings {
        try await read("looking for earlier mailings") { [self] db in try earlier(db, identity) }
    }

    /// The counters and the list of the uncertain tell how many they reached: no recipient is read.
    func earlier(_ db: any SQLTransaction, _ identity: MailingIdentity) throws -> EarlierMailings {
        var earlier = EarlierMailings()
        earlier.unfinished = try MailingRecord.all(
            db, "WHERE identity = ? AND state NOT IN ('sent', 'stopped', 'failed') ORDER BY created DESC, id DESC LIMIT 1",
            [identity.description]
        ).records.first
        let rows = try db.rows(
            """
            SELECT id, state, coalesce(started, created),
                (SELECT coalesce(sum(n), 0) FROM counter
                    WHERE counter.mailing = mailing.id AND counter.state IN ('sent', 'delivered', 'uncertain'))
                + (SELECT coalesce(sum(open), 0) FROM progress WHERE progress.mailing = mailing.id AND dispatched > 0)
                + CASE WHEN pruned IS NULL THEN (SELECT unresolved FROM (\(UncertainCounts.query(of: "mailing.id"))) AS counts)
                    ELSE uncertain_unresolved END AS reached,
                pruned
            FROM mailing WHERE identity = ? AND state IN ('sent', 'stopped', 'failed') ORDER BY created DESC, id DESC
            """, [identity.description])
        while let row = try rows.next() {
            guard let id = try MailingID(row.read(0) as String), let state = try MailingState(rawValue: row.read(1)) else { continue }
            let reached: Int = try row.read(3)
            if reached > 0 {
                try earlier.sent.append(.init(id: id, state: state, started: row.read(2), reached: reached, pruned: row.read(4)))
            }
        }
        earlier.lost = try lost(db, identity)
        return earlier
    }

    /// The mailing of an identity that was added last, where it is in the note beside the ledger alone. Behind one that the ledger knows a
    /// person has decided.
    private func lost(_ db: any SQLTransaction, _ identity: MailingIdentity) throws -> MailingID? {
        guard let last = try note(db)?.mailings(of: identity).last else { return nil }
        let known = try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM mailing WHERE id = ?)", [last.description])
        return known == true ? nil : last
    }

    package func earlier(than id: MailingID) async throws(LedgerError) -> [MailingID] {
        try await read("looking for earlier mailings") { db in
            try db.all(
                String.self,
                """
                SELECT id FROM mailing WHERE identity <> '' AND id <> ?1 AND next_batch > 0
                    AND identity = (SELECT identity FROM mailing WHERE id = ?1) ORDER BY created, id
                """, [id.description]
            ).compactMap { MailingID($0) }
        }
    }

    package func reached(by id: MailingID, after: Int, limit: Int) async throws(LedgerError) -> [ReachedBatch] {
        try await read("looking for those who were reached") { db in
            let named = try db.one(String.self, "SELECT channel FROM mailing WHERE id = ?", [id.description])
            guard let channel = named.flatMap(Channel.init(rawValue:)) else { return [] }
            let rows = try db.rows(
                """
                SELECT b.number, b.recipients, p.states, p.dispatched > 0
                FROM batch b JOIN progress p ON p.mailing = b.mailing AND p.number = b.number
                WHERE b.mailing = ? AND b.number > ? ORDER BY b.number LIMIT ?
                """, [id.description, after, limit])
            let unresolved = try Self.unresolved(db, id, after: after, limit: limit)
            var batches: [ReachedBatch] = []
            while let row = try rows.next() {
                let wire = try row.read(1) as [UInt8]
                let isDispatched: Bool = try row.read(3)
                let places = Self.reached(try row.read(2), isDispatched: isDispatched, try unresolved[row.read(0)] ?? [])
                let recipients = try Recipients(decodingAddresses: wire)
                try batches.append(
                    ReachedBatch(
                        number: row.read(0), channel: channel, recipients: recipients,
                        places: (places.last ?? 0) < recipients.count ? places : places.filter { $0 < recipients.count }))
            }
            return batches
        }
    }

    /// Of the next batches, the places of those who ended otherwise though a message may have reached them, by batch.
    private static func unresolved(_ db: any SQLTransaction, _ id: MailingID, after: Int, limit: Int) throws -> [Int: Set<Int>] {
        let last = try db.one(
            Int.self,
            "SELECT max(number) FROM (SELECT number FROM batch WHERE mailing = ? AND number > ? ORDER BY number LIMIT ?) AS next",
            [id.description, after, limit])
        let rows = try db.rows(UncertainCounts.unresolvedPlaces, [id.description, after, last ?? after])
        var places: [Int: Set<Int>] = [:]
        while let row = try rows.next() { try places[row.read(0), default: []].insert(row.read(1)) }
        return places
    }

    /// Where the states say that a message has arrived, or may arrive.
    /// - Parameter others: places where one may have arrived whatever the state is.
    private static func reached(_ states: [UInt8], isDispatched: Bool, _ others: Set<Int>) -> [Int] {
        let isReached = isDispatched ? arrivedOrDispatched : arrived
        guard !others.isEmpty else { return states.indices.filter { isReached[Int(states[$0])] } }
        return states.indices.filter { isReached[Int(states[$0])] || others.contains($0) && !isOpen[Int(states[$0])] }
    }

    private static let arrived = table([.sent, .delivered, .uncertain])
    private static let isOpen = table([.planned, .deferred])
    private static let arrivedOrDispatched = table([.sent, .delivered, .uncertain, .planned, .deferred])

    /// The states by their codes.
    private static func table(_ states: Set<RecipientState>) -> [Bool] {
        (0...255).map { code in StateCode.state(code).map(states.contains) ?? false }
    }
}
