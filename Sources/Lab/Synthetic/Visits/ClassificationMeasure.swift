package import Policy

/// How well visits are told apart: what the classifier says of made-up messages, beside who came.
package struct ClassificationMeasure: Sendable, Equatable {
    /// Scanners' bursts, and those of which every visit was marked as a machine's.
    package private(set) var bursts = 0
    package private(set) var marked = 0
    /// People with a visit, and those of whom one was marked as a machine's.
    package private(set) var people = 0
    package private(set) var mistaken = 0
    /// Prefetches and lone scanners with those that were marked. A lone scanner that calls itself a browser cannot be told from a person.
    package private(set) var prefetches = 0
    package private(set) var markedPrefetches = 0
    package private(set) var lone = 0
    package private(set) var markedLone = 0
    package private(set) var visits = 0

    package init() {}

    /// - Parameter messages: how many to make up.
    package init(_ messages: Int, of visits: inout SyntheticVisits, by classifier: EventClassifier) {
        for _ in 0..<messages { add(visits.next(), by: classifier) }
    }

    /// Of bursts, those that were marked; 1 of none.
    package var markedShare: Double { bursts == 0 ? 1 : Double(marked) / Double(bursts) }
    /// Of people, those who were taken for a machine; 0 of none.
    package var mistakenShare: Double { people == 0 ? 0 : Double(mistaken) / Double(people) }

    package mutating func add(_ message: VisitedMessage, by classifier: EventClassifier) {
        let classes = classifier.classify(message.visits, linksOfMessage: message.links)
        var burstsSeen: [Int: Bool] = [:]
        var person: Bool?
        for (visitor, visitorClass) in zip(message.visitors, classes) {
            let isMachine = visitorClass == .machine
            visits += 1
            switch visitor {
            case .burst(let number): burstsSeen[number] = (burstsSeen[number] ?? true) && isMachine
            case .person: person = (person ?? false) || isMachine
            case .prefetch:
                prefetches += 1
                if isMachine { markedPrefetches += 1 }
            case .loneScanner:
                lone += 1
                if isMachine { markedLone += 1 }
            }
        }
        bursts += burstsSeen.count
        marked += burstsSeen.values.count { $0 }
        guard let person else { return }
        people += 1
        if person { mistaken += 1 }
    }
}
