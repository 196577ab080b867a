package import Ledger
package import Model
package import Policy

/// Lets no further message of a mailing start until it is resumed.
package struct PauseMailing: Order {
    package let mailing: MailingID
    /// Why, for people; may be empty.
    package let reason: String

    package init(_ mailing: MailingID, reason: String = "") {
        self.mailing = mailing
        self.reason = reason
    }

    package var kind: AuditNote.Order { .pause }
    package var object: AuditedObject { .mailing(mailing) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> OrderReach {
        let record = try await context.mailing(mailing)
        let isPaused = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.setState(
                mailing, to: .paused, from: [.scheduled, .collecting, .sending],
                reason: .person(context.actor.description, reason), note: context.note, now: context.now)
        }
        guard isPaused else {
            let state = record.state.rawValue
            throw .refused("mailing \(mailing) " + (record.state.isTerminal ? "has ended already: it is \(state)" : "is \(state) already"))
        }
        return await context.announcer.announce(mailing)
    }
}

/// Lets a paused mailing go on.
package struct ResumeMailing: Order {
    package struct Outcome: Sendable {
        package var state: MailingState
        package var reach: OrderReach
    }

    package let mailing: MailingID
    /// A start that has passed is forgotten, so that the mailing begins now.
    package let atOnce: Bool

    package init(_ mailing: MailingID, atOnce: Bool = true) {
        self.mailing = mailing
        self.atOnce = atOnce
    }

    package var kind: AuditNote.Order { .resume }
    package var object: AuditedObject { .mailing(mailing) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        let record = try await context.mailing(mailing)
        let state = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.resume(mailing, atOnce: atOnce, note: context.note, now: context.now)
        }
        guard let state else { throw .refused("mailing \(mailing) is \(record.state.rawValue), not paused") }
        return Outcome(state: state, reach: await context.announcer.announce(mailing))
    }
}

/// Sets a mailing's limit in place of that of its file.
package struct SetSpeed: Order {
    package struct Outcome: Sendable {
        /// The limit in force, as text; nil for none.
        package var speed: String?
        package var isChanged: Bool
        package var reach: OrderReach
    }

    package let mailing: MailingID
    /// Nil restores that of the mailing file.
    package let limit: RateLimit?

    package init(_ mailing: MailingID, _ limit: RateLimit?) {
        self.mailing = mailing
        self.limit = limit
    }

    package var kind: AuditNote.Order { .speed }
    package var object: AuditedObject { .mailing(mailing) }

    package func obstacle(_ outcome: Outcome) -> OrderObstacle? {
        outcome.isChanged ? nil : .unchanged("the limit is so already")
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        var record = try await context.mailing(mailing)
        guard !record.state.isTerminal else {
            throw .refused("mailing \(mailing) is \(record.state.rawValue) and sends no more messages")
        }
        let isChanged = record.speedOverride != limit?.description
        if isChanged {
            try await OrderError.mapping { () async throws(LedgerError) in
                try await context.ledger.setSpeed(mailing, limit?.description, note: context.note, now: context.now)
            }
            record.speedOverride = limit?.description
        }
        // Workers may not have heard of the order of before.
        return Outcome(speed: record.speed, isChanged: isChanged, reach: await context.announcer.announce(mailing))
    }
}

/// Decides about held recipients of a mailing.
package struct ResolveUncertain: Order {
    package struct Outcome: Sendable {
        package var settlement: UncertainSettlement
        package var reach: OrderReach
    }

    package let mailing: MailingID
    /// Addresses or ids; nil for all that are held.
    package let recipients: [String]?
    package let decision: UncertainDecision

    package init(_ mailing: MailingID, recipients: [String]?, as decision: UncertainDecision) {
        self.mailing = mailing
        self.recipients = recipients
        self.decision = decision
    }

    package func obstacle(_ outcome: Outcome) -> OrderObstacle? {
        guard outcome.settlement.count == 0 else { return nil }
        return recipients == nil ? .unchanged("nobody is held") : .refused("nobody of those is held")
    }

    package var kind: AuditNote.Order { .resolve }
    package var object: AuditedObject { .mailing(mailing) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        guard recipients?.contains("") != true else { throw .refused("an empty address or id names no recipient") }
        let settlement = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.decide(mailing, recipients: recipients, as: decision, note: context.note, now: context.now)
        }
        return Outcome(settlement: settlement, reach: await context.announcer.planned())
    }
}
