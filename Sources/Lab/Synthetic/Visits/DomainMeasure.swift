import Model
package import Policy

/// How well the links are found that a gateway follows for its whole domain, in a made-up trace: domains of all sizes, gateways that follow
/// one link of each message within moments, and people who follow links by themselves.
package struct DomainMeasure: Sendable, Equatable {
    /// Of domains with enough recipients for a burst: whose gateway looked, the visits of these, and those that were marked.
    package private(set) var gateways = 0
    package private(set) var visits = 0
    package private(set) var marked = 0
    /// Visits of people, and those that were taken for a gateway's.
    package private(set) var people = 0
    package private(set) var mistaken = 0

    /// Of the visits of gateways, those that were marked; 1 of none.
    package var markedShare: Double { visits == 0 ? 1 : Double(marked) / Double(visits) }
    /// Of people's visits, those that were taken for a gateway's; 0 of none.
    package var mistakenShare: Double { people == 0 ? 0 : Double(mistaken) / Double(people) }

    /// - Parameter domains: how many to make up; each hundredth is one of mailboxes for everybody.
    package init(_ domains: Int, seed: UInt64, by classifier: EventClassifier) {
        var generator = SeededGenerator(seed: seed)
        for domain in 0..<domains { add(domain, &generator, classifier) }
    }

    private mutating func add(_ domain: Int, _ generator: inout SeededGenerator, _ classifier: EventClassifier) {
        let isPublic = domain % 100 == 0
        let size = isPublic ? 20_000 : min(2_000, max(1, Int(generator.logNormal(median: 12, spread: 1.3))))
        let hasGateway = !isPublic && generator.chance(0.2)
        let start = Int64(min(generator.logNormal(median: 43, spread: 1.5), 100_000) * 1000)
        var (found, isGateway): ([DomainVisit], [Bool]) = ([], [])
        for recipient in 0..<size {
            if hasGateway {
                let time = start + Int64(generator.logNormal(median: 0.3, spread: 0.7) * 1000)
                found.append(DomainVisit(domain: domain, recipient: recipient, link: 0, time: time))
                isGateway.append(true)
            }
            guard generator.chance(0.07) else { continue }
            let time = Int64(min(generator.logNormal(median: 7200, spread: 2.2), 10_000_000) * 1000)
            found.append(DomainVisit(domain: domain, recipient: recipient, link: generator.chance(0.7) ? 0 : 1, time: time))
            isGateway.append(false)
        }
        let classes = classifier.machines(found, recipients: [domain: size])
        let isLarge = hasGateway && size >= classifier.rules.bursts.domainRecipients
        if isLarge { gateways += 1 }
        for (isGateway, isMarked) in zip(isGateway, classes) {
            if isGateway, isLarge {
                visits += 1
                if isMarked { marked += 1 }
            } else if !isGateway {
                people += 1
                // Whoever reads in the moment of the gateway's look cannot be told from it.
                if isMarked, !hasGateway { mistaken += 1 }
            }
        }
    }
}
