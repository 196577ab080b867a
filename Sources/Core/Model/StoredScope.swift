/// The scope of a limit that is stored. What this release does not know keeps its text: another release set it, and a person can clear it.
package enum StoredScope: Sendable, Hashable, CustomStringConvertible {
    case known(LimitScope)
    case unknown(String)

    package init(_ text: String) { self = LimitScope(text).map(StoredScope.known) ?? .unknown(text) }

    /// Nil for a scope that this release does not know.
    package var scope: LimitScope? {
        switch self {
        case .known(let scope): scope
        case .unknown: nil
        }
    }

    /// As the ledger and Redis keep it.
    package var description: String {
        switch self {
        case .known(let scope): scope.description
        case .unknown(let text): text
        }
    }
}
