import Ledger
import Model
import Policy
import Settings

extension EventRules {
    /// The rules that a configuration has.
    static func usual(_ settings: Settings) -> EventRules {
        let classifier = EventClassifier(settings.visitors)
        return EventRules(links: { $0.tracking?.linksOfParts ?? [] }, domains: classifier) { visits, links in
            classifier.classify(visits, linksOfParts: links)
        }
    }
}
