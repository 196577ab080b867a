import Model
import Signing

/// What recipients saved on the page of preferences.
extension EventWriting {
    /// By what a recipient's suppressions are written and found.
    private struct Person {
        var mailing: MailingID
        var channel: Channel
        /// The category of the message; empty for none.
        var category: String
        /// The address, or what stands for it where it is not kept any more.
        var address: String
        /// What stands for the address beside it; nil for none.
        var hash: String?
        var source: String
    }

    /// Suppresses recipients for what they do not want, and lets them be sent to what they want again, in the order in which they said so.
    /// - Returns: of how many recipients nothing is kept.
    func applyPreferences(
        _ added: inout [Suppression.Key: Suppression], _ removed: inout Set<Suppression.Key>, now: Int64
    ) throws -> Int {
        let all = preferences.map { (event: $0, isSure: true) } + preferencesInDoubt.map { (event: $0, isSure: false) }
        guard !all.isEmpty else { return 0 }
        var unknown = 0
        let categories = try Set(db.all(String.self, "SELECT name FROM category"))
        let isTold = try db.outbox.wants(.preferences, db)
        for (event, isSure) in all.sorted(by: { $0.event.time < $1.event.time }) {
            guard let change = event.change, Self.isPossible(event) else { continue }
            guard let person = try person(of: event) else {
                unknown += 1
                continue
            }
            // Whoever has a link could make categories otherwise.
            var known = change
            known.categories = change.categories.filter { categories.contains($0.key) || $0.key == person.category }
            if isSure, isTold, !known.isEmpty {
                var told = WebhookEvent(.preferences, batch: Int(event.batch), index: Int(event.index), at: event.time)
                told.reason = known.text
                db.outbox.add(told, of: person.mailing)
            }
            let named = known.categories.sorted { $0.key < $1.key }
            let wishes = (change.all.map { [("", $0)] } ?? []) + named.map { ($0.key, $0.value) }
            for (category, isWanted) in wishes where isSure || !isWanted {
                let key = Suppression.Key(person.channel, person.address, category: category)
                try choose(key, !isWanted, at: event.time, source: person.source, &added, &removed, now: now)
                guard isWanted, let hash = person.hash else { continue }
                // They may have declined it by a link of a mailing that is pruned.
                let other = Suppression.Key(person.channel, hash, category: category)
                try choose(other, false, at: event.time, source: person.source, &added, &removed, now: now)
            }
        }
        return unknown
    }

    /// The suppressions in force of what recipients declined by events that had been counted before.
    func preferencesBefore(now: Int64) throws -> [Suppression] {
        var found: [Suppression] = []
        for event in preferencesAgain where Self.isPossible(event) {
            guard let change = event.change, let person = try person(of: event) else { continue }
            let declined = (change.all == false ? [""] : []) + change.categories.filter { !$0.value }.map(\.key)
            for category in declined {
                let key = Suppression.Key(person.channel, person.address, category: category)
                if let one = try SQLLedger.suppression(db, key), one.isInForce(at: now) { found.append(one) }
            }
        }
        return found
    }

    private func person(of event: TrackedEvent) throws -> Person? {
        let row = try db.row("SELECT id, channel, category, pruned FROM mailing WHERE number = ?", [Int64(event.mailing)])
        guard let row, let id = try MailingID(row.read(0) as String), let channel = try Channel(rawValue: row.read(1)) else { return nil }
        let (batch, index) = (BatchID(mailing: id, number: Int(event.batch)), Int(event.index))
        let source = batch.message(index)
        let category: String = try row.read(2)
        if (try row.read(3) as Int64?) != nil {
            let hash = try PrunedAddresses.hash(db, event.mailing, batch: event.batch, index: event.index)
            return hash.map {
                Person(mailing: id, channel: channel, category: category, address: AddressHasher.text(of: $0), source: source)
            }
        }
        guard let wire = try SQLLedger.batchText(db, batch), let recipients = try? Recipients(decodingAddresses: wire),
            index < recipients.count
        else { return nil }
        let address = Self.address(recipients, index, channel)
        guard !address.isEmpty else { return nil }
        let forms = try SQLLedger.withHashes(db, [address], channel)
        return Person(
            mailing: id, channel: channel, category: category, address: address, hash: forms.count > 1 ? forms[1] : nil, source: source)
    }
}
