import Ledger
package import Model
import Text

/// Looks for one recipient of a mailing in its file, as the planner reads it.
package enum RecipientSearch {
    /// A recipient with the batch that it would be in.
    package struct Found: Sendable {
        /// Of the batch, by the mailing's fields.
        package var recipients: Recipients
        /// Its place in the batch.
        package var index: Int
        /// The batch's number.
        package var batch: Int

        package init(_ recipients: Recipients, index: Int = 0, batch: Int = 0) {
            (self.recipients, self.index, self.batch) = (recipients, index, batch)
        }
    }

    package enum Outcome: Sendable {
        case found(Found)
        /// Its row is no recipient.
        case excluded(Exclusion)
        /// No row has this address or id.
        case unknown
    }

    /// - Parameter key: an address, or a value of the id column; nil for the first recipient.
    /// - Throws: `InputError`.
    package static func find(_ key: String?, in job: PreparedJob) throws -> Outcome {
        let (mailing, source) = (job.mailing, job.source)
        var planner = try RecipientPlanner(
            source: source, channel: mailing.channel, keeping: Set(mailing.fields.dropFirst(2)),
            bounds: .init(size: BatchSize.of(mailing, speed: mailing.speed)),
            excluding: .init(check: try BodyCheck(mailing, job.provider)))
        let forms = key.map { AddressForms.of($0, country: source.country) }
        var chunk = planner.makeChunk()
        var batch = 0
        var excluded: Exclusion?
        func isMeant(_ id: String, _ address: String) -> Bool {
            guard let key, let forms else { return true }
            return id == key || forms.contains { ASCII.equalIgnoringCase($0.utf8, address.utf8) }
        }
        while try planner.next(&chunk) {
            let recipients = chunk.recipients
            if let index = (0..<recipients.count).first(where: { isMeant(recipients[$0, 0], recipients[$0, 1]) }) {
                return .found(Found(recipients, index: index, batch: batch))
            }
            if excluded == nil { excluded = chunk.exclusions.first { isMeant($0.id, $0.address) } }
            if !recipients.isEmpty { batch += 1 }
        }
        return excluded.map(Outcome.excluded) ?? .unknown
    }
}
