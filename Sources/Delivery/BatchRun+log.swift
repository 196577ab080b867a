import Broker
import Logging
import Model

extension BatchRun {
    /// The fields by which a batch's lines are found.
    var fields: Logger.Metadata {
        ["mailing": "\(lease.batch.id.mailing)", "batch": "\(lease.batch.id.number)", "provider": "\(mailing.provider)"]
    }

    /// Follows each message by its id, for who asks for that (log.level: trace).
    func trace(_ group: [OpenRecipient], _ answers: [Answer?]) {
        guard worker.logger.logLevel <= .trace else { return }
        for (item, answer) in zip(group, answers) {
            let address = recipients[item.index, 1]
            var fields = fields
            fields["message_id"] = "\(lease.batch.id).\(item.index)"
            fields["recipient"] = "\(worker.configuration.showsAddresses ? address : Masking.address(address))"
            if let answer { fields["code"] = "\(answer.code)" }
            worker.logger.trace(
                answer.map { "answered: \($0.kind.rawValue)" } ?? "not begun, goes back", metadata: fields)
        }
    }
}
