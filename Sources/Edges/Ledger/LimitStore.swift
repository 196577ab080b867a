package import Model

/// Limits that operators set while mailings are sent, in place of those of the configuration.
package protocol LimitStore: Sendable {
    /// All that are set, by scope.
    func limits() async throws(LedgerError) -> [LimitOverride]

    /// Sets a scope's limit in place of the one before.
    /// - Parameters:
    ///   - text: the limit, or `none`; nil takes the configuration's own again.
    ///   - note: the order that sets it; nil where nobody gave one.
    ///   - now: milliseconds since 1970.
    /// - Returns: what was set before; nil for nothing.
    @discardableResult
    func setLimit(_ scope: StoredScope, _ text: String?, note: AuditNote?, now: Int64) async throws(LedgerError) -> LimitOverride?
}

/// A limit that was set while mailings are sent.
package struct LimitOverride: Sendable, Equatable {
    package var scope: StoredScope
    /// The limit, or `none`.
    package var text: String
    /// When it was set, in milliseconds since 1970.
    package var changed: Int64

    package init(scope: StoredScope, text: String, changed: Int64) {
        self.scope = scope
        self.text = text
        self.changed = changed
    }
}
