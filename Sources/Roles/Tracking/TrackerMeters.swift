import Metrics
import Model
import Signing

/// Counts what visitors ask for.
struct TrackerMeters: Sendable {
    private let requests: [Tracker.Answer.Kind: Counter]
    private let events: [TrackedAction: Counter]
    private let faults: [String: Counter]

    init() {
        requests = Self.counters("flotilla_tracker_requests_total", "kind", Tracker.Answer.Kind.allCases) { $0.rawValue }
        events = Self.counters("flotilla_tracker_events_total", "action", TrackedAction.allCases) { "\($0)" }
        faults = Self.counters("flotilla_tracker_tokens_refused_total", "reason", TokenFault.names) { $0 }
    }

    private static func counters<Key: Hashable>(
        _ label: String, _ dimension: String, _ keys: [Key], name: (Key) -> String
    ) -> [Key: Counter] {
        Dictionary(uniqueKeysWithValues: keys.map { ($0, Counter(label: label, dimensions: [(dimension, name($0))])) })
    }

    func count(_ answer: Tracker.Answer) {
        requests[answer.kind]?.increment()
        if let event = answer.event { events[event.action]?.increment() }
        if let event = answer.further { events[event.action]?.increment() }
        if let fault = answer.fault { faults[fault.name]?.increment() }
    }
}

extension TokenFault {
    fileprivate static let names = ["malformed", "unknown_key", "forged", "other_purpose"]

    fileprivate var name: String {
        switch self {
        case .malformed: "malformed"
        case .unknownKey: "unknown_key"
        case .forged: "forged"
        case .otherPurpose: "other_purpose"
        }
    }
}
