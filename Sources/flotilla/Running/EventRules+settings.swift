import Ledger
import Policy
import Settings

extension EventRules {
    /// The rules that a configuration has.
    static func usual(_ settings: Settings) -> EventRules { .none }
}
