package import Model

/// The changes of a mailing store without an order of a person, as roles and tests want them.
extension MailingStore {
    /// Adds a mailing, whatever was sent before.
    package func create(
        _ id: MailingID, mailing: Mailing, source: RecipientSource?, origin: String, state: MailingState, start: Int64? = nil, now: Int64
    ) async throws(LedgerError) {
        var new = NewMailing(id: id, mailing: mailing, source: source)
        new.origin = origin
        new.state = state
        new.start = start
        _ = try await add(new, repeating: .again, note: nil, now: now)
    }

    package func setState(
        _ id: MailingID, to state: MailingState, from: Set<MailingState>, reason: StateReason, now: Int64
    ) async throws(LedgerError) -> Bool {
        try await setState(id, to: state, from: from, reason: reason, note: nil, now: now)
    }

    package func resume(_ id: MailingID, atOnce: Bool, now: Int64) async throws(LedgerError) -> MailingState? {
        try await resume(id, atOnce: atOnce, note: nil, now: now)
    }

    package func setSpeed(_ id: MailingID, _ speed: String?) async throws(LedgerError) {
        try await setSpeed(id, speed, note: nil, now: Clock.milliseconds())
    }
}

extension LimitStore {
    @discardableResult
    package func setLimit(_ scope: LimitScope, _ text: String?, now: Int64) async throws(LedgerError) -> LimitOverride? {
        try await setLimit(.known(scope), text, note: nil, now: now)
    }
}

extension UncertainStore {
    package func decide(
        _ id: MailingID, recipients: [String]?, as decision: UncertainDecision, now: Int64
    ) async throws(LedgerError) -> UncertainSettlement {
        try await decide(id, recipients: recipients, as: decision, note: nil, now: now)
    }
}
