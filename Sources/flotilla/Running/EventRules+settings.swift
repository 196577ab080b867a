import Ledger
import Model
import Policy
import Settings

extension EventRules {
    /// The rules that a configuration has.
    static func usual(_ settings: Settings) -> EventRules {
        EventRules(EventClassifier(settings.visitors)) { $0.tracking?.linksOfParts ?? [] }
    }
}
