import Ledger
import Logging
import Model
import Policy

extension MailingRecord {
    /// The fields by which a mailing's lines are found in the log.
    var fields: Logger.Metadata { ["mailing": "\(id)", "provider": "\(ProviderURL.name(of: mailing.provider))"] }
}

extension Logger {
    /// Logs that a batch is dispatched, and with log.level trace each message by its id.
    func dispatched(_ batch: DispatchedBatch, _ mailing: Logger.Metadata) {
        guard logLevel <= .debug else { return }
        let fields = mailing.merging(["batch": "\(batch.id.number)"]) { $1 }
        debug("dispatched, number \(batch.dispatchNumber), \(batch.open?.count ?? batch.count) recipients to send to", metadata: fields)
        guard logLevel <= .trace else { return }
        for item in batch.open ?? (0..<batch.count).map({ OpenRecipient(index: $0, attempts: 0) }) {
            trace(
                "dispatched, attempt \(item.attempts + 1)",
                metadata: fields.merging(["message_id": "\(batch.id.message(item.index))"]) { $1 })
        }
    }
}
