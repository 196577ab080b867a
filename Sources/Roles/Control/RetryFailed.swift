package import Ledger
package import Model

/// Has a mailing sent again to those who failed or expired for some reasons: the next round.
package struct RetryFailed: Order {
    package struct Outcome: Sendable {
        /// Before the order.
        package var record: MailingRecord
        package var selection: RetrySelection
        package var reach: OrderReach
    }

    package let mailing: MailingID
    package let filter: RetryFilter

    package init(_ mailing: MailingID, _ filter: RetryFilter) {
        self.mailing = mailing
        self.filter = filter
    }

    package var kind: AuditNote.Order { .retryFailed }
    package var object: AuditedObject { .mailing(mailing) }

    /// Why the order cannot be carried out whatever the ledger holds; nil for one that can.
    package static func fault(_ filter: RetryFilter) -> String? {
        if filter.reasons.isEmpty, filter.codes.isEmpty { return "neither a class nor a code says who is to be sent to again" }
        if let reason = filter.reasons.first(where: { !RetryFilter.choices.contains($0) }) { return "nobody fails as \(reason.rawValue)" }
        if let code = filter.codes.first(where: { !(100...999).contains($0) }) { return "\(code) is no reply code, which has three digits" }
        if let since = filter.since, let until = filter.until, since > until { return "the time until then ends before it begins" }
        if filter.provider?.isEmpty == true { return "an empty name names no provider" }
        return nil
    }

    package func obstacle(_ outcome: Outcome) -> OrderObstacle? {
        outcome.selection.count == 0 ? .unchanged("nobody failed in this way and can be sent to again") : nil
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        if let fault = Self.fault(filter) { throw .refused(fault) }
        let record = try await context.mailing(mailing)
        let selection = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.retry(mailing, filter, note: context.note, now: context.now)
        }
        if !selection.lifted.isEmpty { await context.announcer.tell([], lifted: selection.lifted) }
        return Outcome(record: record, selection: selection, reach: await context.announcer.planned())
    }
}
