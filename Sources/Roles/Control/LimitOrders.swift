package import Ledger
package import Model
package import Policy

/// Sets the limit of a scope in place of that of flotilla.yaml.
package struct SetLimit: Order {
    package struct Outcome: Sendable {
        /// What was set before; nil for nothing.
        package var before: LimitOverride?
        package var reach: OrderReach
    }

    package let scope: LimitScope
    /// Nil lifts the limit.
    package let limit: RateLimit?

    /// - Parameter scope: one of `LimitList.scope`.
    package init(_ scope: LimitScope, _ limit: RateLimit?) {
        self.scope = scope
        self.limit = limit
    }

    package var kind: AuditNote.Order { .limit }
    package var object: AuditedObject { .limit(.known(scope)) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        let before = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.setLimit(
                .known(scope), limit?.description ?? RateLimit.none, note: context.note, now: context.now)
        }
        return Outcome(before: before, reach: await context.announcer.planned())
    }
}

/// Removes a limit that was set at run time: that of flotilla.yaml takes effect again.
package struct ClearLimit: Order {
    package struct Outcome: Sendable {
        package var before: LimitOverride
        package var reach: OrderReach
    }

    package let scope: StoredScope

    package init(_ scope: StoredScope) { self.scope = scope }

    package var kind: AuditNote.Order { .limit }
    package var object: AuditedObject { .limit(scope) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        let known = try await OrderError.mapping { () async throws(LedgerError) in try await context.ledger.limits() }
        guard known.contains(where: { $0.scope == scope }) else { throw notSet }
        let before = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.setLimit(scope, nil, note: context.note, now: context.now)
        }
        guard let before else { throw notSet }
        return Outcome(before: before, reach: await context.announcer.planned())
    }

    private var notSet: OrderError {
        .refused("no limit was set at run time for '\(scope)'; flotilla limit list shows where one was")
    }
}
