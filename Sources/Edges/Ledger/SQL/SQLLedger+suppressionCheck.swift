import Model

extension SQLLedger {
    /// Skips those who were suppressed since a mailing was planned, as its batches are dispatched. It is made once for each mailing of a
    /// transaction; a batch costs something only where the list has news for the mailing.
    struct SuppressionCheck {
        private let mailing: MailingID
        private let target: SuppressionTarget
        /// Older suppressions were applied when the mailing was planned.
        private let revision: Int64
        private let now: Int64

        /// Nil where the list has not changed since the mailing was planned.
        init?(_ db: any SQLTransaction, _ mailing: MailingID, _ list: SuppressionList, now: Int64) throws {
            guard list.entries > 0 else { return nil }
            let rows = try db.rows(
                "SELECT channel, category, coalesce(suppression_revision, 0) FROM mailing WHERE id = ?", [mailing.description])
            guard let row = try rows.next(), let channel = try Channel(rawValue: row.read(0)) else { return nil }
            target = try SuppressionTarget(channel, category: row.read(1))
            revision = try row.read(2)
            self.mailing = mailing
            self.now = now
            guard list.revision > revision else { return nil }
            let hasNews = try db.one(
                Bool.self, "SELECT EXISTS (SELECT 1 FROM suppression WHERE channel = ? AND category IN ('', ?) AND revision > ?)",
                [channel.rawValue, target.category, revision])
            guard hasNews == true else { return nil }
        }

        /// Skips the recipients of a batch who are suppressed by now.
        /// - Parameters:
        ///   - wanted: the places that are to be dispatched.
        ///   - recipients: the batch in its wire form; a worker refuses one that cannot be read.
        /// - Returns: the places that are skipped.
        func skip(_ db: any SQLTransaction, _ batch: Int, _ progress: inout BatchProgress, wanted: [Int], _ recipients: [UInt8]) throws
            -> Set<
                Int
            >
        {
            guard !wanted.isEmpty, let recipients = try? Recipients(decodingAddresses: recipients) else { return [] }
            let places = wanted.filter { $0 < recipients.count }
            let found = try SQLLedger.suppressed(db, keys(recipients, places), target, since: revision, now: now)
            guard !found.isEmpty else { return [] }
            var ended: [RecipientState: Int] = [:]
            for (place, suppression) in found {
                let index = places[place]
                guard let old = progress.state(index) else { continue }
                progress.states[index] = StateCode.code(.skipped)
                ended[old, default: 0] += 1
                try db.tell(
                    .skipped, of: BatchID(mailing: mailing, number: batch), index, at: now, attempts: progress.attempts(index))
                if old == .deferred { try LastError.remove(db, BatchID(mailing: mailing, number: batch), index) }
                try Self.store(db, BatchID(mailing: mailing, number: batch), index, suppression.words, at: now)
            }
            for (old, count) in ended { try SQLLedger.count(db, mailing, old, -count) }
            try SQLLedger.count(db, mailing, .skipped, found.count)
            return Set(found.keys.map { places[$0] })
        }

        private func keys(_ recipients: Recipients, _ places: [Int]) -> [String] {
            var key: [UInt8] = []
            return recipients.bytes.withUnsafeBufferPointer { bytes in
                places.map { place in
                    key.removeAll(keepingCapacity: true)
                    AddressKey.append(of: UnsafeBufferPointer(rebasing: bytes[recipients.range(place, 1)]), target.channel, to: &key)
                    return String(decoding: key, as: UTF8.self)
                }
            }
        }

        /// Notes why a recipient is skipped.
        static func store(_ db: any SQLTransaction, _ batch: BatchID, _ index: Int, _ detail: String, at: Int64) throws {
            try db.run(
                """
                INSERT INTO skipped (mailing, batch, idx, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (mailing, batch, idx) DO NOTHING
                """,
                [
                    batch.mailing.description, batch.number, index, ExclusionReason.suppressed.rawValue, detail, at,
                ])
        }

        /// A result came after all: the recipient is not skipped any more.
        static func remove(_ db: any SQLTransaction, _ batch: BatchID, _ index: Int) throws {
            try db.run("DELETE FROM skipped WHERE mailing = ? AND batch = ? AND idx = ?", [batch.mailing.description, batch.number, index])
        }
    }
}
