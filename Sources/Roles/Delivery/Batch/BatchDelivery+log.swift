import Broker
import Logging
import Model

extension BatchLease {
    /// The fields by which the lines of its batch are found.
    var fields: Logger.Metadata { ["mailing": "\(batch.id.mailing)", "batch": "\(batch.id.number)"] }
}

extension BatchDelivery {
    /// The fields by which a batch's lines are found.
    var fields: Logger.Metadata { lease.fields.merging(["provider": "\(mailing.provider)"]) { $1 } }

    /// Logs each message by its id (log.level: trace) when it goes to the provider.
    func trace(_ group: [OpenRecipient]) {
        guard worker.logger.logLevel <= .trace else { return }
        for item in group { worker.logger.trace("sending, attempt \(item.attempts + 1)", metadata: messageFields(item)) }
    }

    /// Traces the responses to a group.
    func trace(_ group: [OpenRecipient], _ responses: [ProviderResponse?]) {
        guard worker.logger.logLevel <= .trace else { return }
        for (item, response) in zip(group, responses) {
            var fields = messageFields(item)
            if let response { fields["code"] = "\(response.code)" }
            worker.logger.trace(
                response.map { "response: \($0.reason.rawValue)" } ?? "not started, returned", metadata: fields)
        }
    }

    private func messageFields(_ item: OpenRecipient) -> Logger.Metadata {
        let address = recipients[item.index, 1]
        var fields = fields
        fields["message_id"] = "\(lease.batch.id.message(item.index))"
        fields["recipient"] = "\(worker.configuration.showsAddresses ? address : Masking.address(address))"
        return fields
    }
}
