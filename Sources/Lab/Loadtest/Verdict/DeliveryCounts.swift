package import Model

/// What is known of a mailing at the end of a run beside what the sinks recorded: its plan and its ledger.
package struct MailingFacts: Sendable {
    package struct Position: Hashable, Sendable {
        package var batch: Int
        package var index: Int

        package init(batch: Int, index: Int) {
            self.batch = batch
            self.index = index
        }
    }

    /// The name of its plan, and its own, which differ where a plan has several copies.
    package var plan: String
    package var name: String
    package var id: String
    package var channel: Channel
    /// Recipients in its file.
    package var recipients: Int
    package var state: MailingState = .scheduled
    /// A `RecipientState.code` for each recipient of each batch.
    package var states: [Int: [UInt8]] = [:]
    /// Recipients on the list of uncertain ones.
    package var listed: Set<Position> = []
    /// Seconds from the start at which it was added, and at which it had ended.
    package var added: Double = 0
    package var ended: Double?

    package init(plan: String, name: String, id: String, channel: Channel, recipients: Int) {
        self.plan = plan
        self.name = name
        self.id = id
        self.channel = channel
        self.recipients = recipients
    }
}

/// What became of a mailing's recipients, by the receiving side's record.
package struct DeliveryCounts: Sendable, Equatable {
    /// Recipients whose message was taken, once or more often.
    package var arrived = 0
    /// Those of them with more than one message who are not on the list of the uncertain, and who are.
    package var twice = 0
    package var listedTwice = 0
    /// Recipients whose message no sink took though the ledger has them as sent, or whose mailing has ended without another state of
    /// theirs (failed, expired, listed); and those of the file whom the ledger does not have.
    package var missing = 0
    /// Recipients who ended as failed or expired, and those of them whose message was taken nevertheless.
    package var failed = 0
    package var failedArrived = 0
    /// Open recipients of a mailing that has not ended: planned, deferred; and held ones of any mailing.
    package var open = 0
    /// Recipients on the list.
    package var uncertain = 0
    /// Messages to recipients that the ledger does not have.
    package var strangers = 0

    package init(_ facts: MailingFacts, _ arrivals: Arrivals.OfMailing?) {
        uncertain = facts.listed.count
        var planned = 0
        for (batch, codes) in facts.states {
            planned += codes.count
            for (index, code) in codes.enumerated() {
                let count = arrivals?.count(batch, index) ?? 0
                if count > 0 { arrived += 1 }
                if count > 1 {
                    let isListed = facts.listed.contains(.init(batch: batch, index: index))
                    if isListed { listedTwice += 1 } else { twice += 1 }
                }
                switch RecipientState(code: code) {
                case .sent, .delivered: if count == 0 { missing += 1 }
                case .failed, .expired:
                    failed += 1
                    if count > 0 { failedArrived += 1 }
                case .uncertain: open += 1
                case .planned, .deferred, .stopped, .skipped, nil:
                    if !facts.state.isTerminal { open += 1 } else if count == 0 { missing += 1 }
                }
            }
        }
        for (batch, counts) in arrivals?.batches ?? [:] {
            let known = facts.states[batch]?.count ?? 0
            strangers += counts.dropFirst(known).count { $0 > 0 }
        }
        // A recipient that is not planned yet is not lost while its mailing is being planned.
        if facts.state.isTerminal || !facts.states.isEmpty { missing += max(0, facts.recipients - planned) }
    }
}
