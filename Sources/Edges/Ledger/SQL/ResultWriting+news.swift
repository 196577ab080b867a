import Model
import Policy

/// What became known of a recipient after its attempts.
struct LateNews {
    var batch: BatchID
    var index: Int
    var news: DeliveryEvidence.News
    /// Milliseconds since 1970; nil for now.
    var at: Int64?
    /// Why the message came back, in the provider's words.
    var text = ""
    /// Why it came back, as far as that is known.
    var reason = ResponseReason.unknown
    /// It came back for good, and by no fault of ours as far as that is known: the brake counts it.
    var isHard = false
    /// The ledger was told of it before.
    var isRepeated = false
}

extension SQLLedger.ResultWriting {
    /// Takes news of recipients, in any order and any number of times.
    mutating func take(_ news: [LateNews]) throws {
        try load(news.map(\.batch))
        var beneaths = try self.beneaths(of: news)
        let seen = try seen(of: news.filter { beneaths[$0.batch.message($0.index)] != nil || $0.news == .bounce })
        var stored: [(state: RecipientState, LateNews)] = []
        for one in news {
            guard let index = batchIndex[one.batch], let shown = batches[index].progress.state(one.index) else { continue }
            if one.news == .bounce,
                try beginning(one.batch, one.index)?.isBehind(bounceAt: one.at ?? now, isRepeated: one.isRepeated) == true
            {
                continue
            }
            let name = one.batch.message(one.index)
            let beneath = beneaths[name]
            let before = LateState(shown: shown, beneath: beneath)
            let after = before.after(one.news, isSeen: seen.contains(name))
            if let state = after.beneath, state != beneath {
                stored.append((state, one))
                beneaths[name] = state
            }
            // A message that came back was taken by the provider: the timeline counts each as sent once, whatever is known of it besides.
            let wasTaken = beneath != nil || shown.rank >= RecipientState.sent.rank
            if !wasTaken, after.beneath != nil { mailings[batches[index].mailing].count(one.at ?? now, sent: 1) }
            guard after.shown != shown else { continue }
            // The timeline shows a held message when it was in flight.
            let since = try shown == .uncertain && after.shown == .sent ? heldSince(one.batch, one.index) : nil
            var result = RecipientResult(
                index: one.index, state: after.shown, attempts: batches[index].progress.attempts(one.index), at: since ?? one.at ?? now)
            if after.shown == .failed {
                result.response = ProviderResponse(
                    one.reason, .fail, about: .recipient, stage: .response, code: 0, text: one.text.prefix(utf8Bytes: 500))
            }
            if after.shown == .failed, one.isHard { returned.append((one.batch, .bounces, one.at ?? now)) }
            // No dispatch is waited for on its account.
            batches[index].progress.states[one.index] = StateCode.code(after.shown)
            try move(
                result, from: shown, one.batch, batches[index].mailing, wasSent: wasTaken || after.beneath != nil)
        }
        try store(stored)
    }

    /// The state of a recipient of a batch that is read.
    func state(_ batch: BatchID, _ index: Int) -> RecipientState? { batchIndex[batch].flatMap { batches[$0].progress.state(index) } }

    /// Whether a result is of a recipient whose message came back, which it does not change: the bounce may come before the result.
    func isOfBounced(_ result: RecipientResult, _ batch: BatchID, _ index: Int) throws -> Bool {
        guard batches[index].progress.state(result.index) == .failed, result.state.rank > RecipientState.failed.rank,
            let beneath = try beneaths(of: [LateNews(batch: batch, index: result.index, news: .bounce)]).values.first,
            try seen(of: [LateNews(batch: batch, index: result.index, news: .bounce)]).isEmpty
        else { return false }
        if result.state.rank > beneath.rank {
            try store([(result.state, LateNews(batch: batch, index: result.index, news: .bounce, at: result.at))])
        }
        return true
    }

    /// What attempts and receipts of those recipients came to whose messages came back, by the ids of the messages.
    private func beneaths(of news: [LateNews]) throws -> [String: RecipientState] {
        let found: [String?] = try db.firstRows(
            "SELECT state FROM bounce WHERE mailing = ? AND batch = ? AND idx = ?",
            news.map { [$0.batch.mailing.description, $0.batch.number, $0.index] }
        ) { row, _ in try row.read(0) }
        var states: [String: RecipientState] = [:]
        for (one, code) in zip(news, found) {
            states[one.batch.message(one.index)] = code.flatMap(\.first).flatMap { RecipientState(rawValue: $0) }
        }
        return states
    }

    private func store(_ states: [(state: RecipientState, one: LateNews)]) throws {
        try db.runAll(
            """
            INSERT INTO bounce (mailing, batch, idx, state, at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (mailing, batch, idx) DO UPDATE SET state = excluded.state
            """,
            states.map { state, one in
                [one.batch.mailing.description, one.batch.number, one.index, String(state.rawValue), one.at ?? now]
            })
    }

    private func heldSince(_ batch: BatchID, _ index: Int) throws -> Int64? {
        try db.one(
            Int64.self, "SELECT min(at) FROM uncertain WHERE mailing = ? AND batch = ? AND idx = ? AND held = 1",
            [batch.mailing.description, batch.number, index])
    }

    /// With whose messages a person has done something, by the ids of the messages: by the tracker's visits, or as a provider tells.
    func seen(of news: [LateNews]) throws -> Set<String> {
        let told: [Bool?] = try db.firstRows(
            """
            SELECT 1 FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind IN ('opened', 'clicked', 'unsubscribed', 'complained')
            LIMIT 1
            """, news.map { [$0.batch.mailing.description, $0.batch.number, $0.index] }
        ) { _, _ in true }
        // Visits that wait in the log say so when they are counted.
        let groups: [Result<StoredEventGroup, SQLDamage>?] = try db.firstRows(
            "SELECT data FROM event_group WHERE mailing = ? AND batch = ? AND part = ?",
            news.map { [$0.batch.mailing.description, $0.batch.number, StoredEventGroup.part(of: $0.index)] }
        ) { row, _ in try EventWriting.undamaged { try StoredEventGroup(row.read(0)) } }
        var seen: Set<String> = []
        for ((one, isTold), group) in zip(zip(news, told), groups) {
            if try isTold != nil || Self.isVisited(one.index, group) { seen.insert(one.batch.message(one.index)) }
        }
        return seen
    }

    private static func isVisited(_ index: Int, _ group: Result<StoredEventGroup, SQLDamage>?) throws -> Bool {
        guard case .success(let group) = group else { return false }
        let found = try EventWriting.undamaged { try group.events(at: index % StoredEventGroup.size) }
        guard case .success(let visits) = found else { return false }
        return visits.contains { $0.visitor != .machine && $0.isCounted }
    }
}
