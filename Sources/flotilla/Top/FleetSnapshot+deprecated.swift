import Foundation
import Telemetry

extension FleetSnapshot {
    /// The output of `top --output json`. It has the deprecated keys, too (docs/changelog.md).
    func json() throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(try ScriptJSON.text(self).utf8))
        let data = try JSONSerialization.data(
            withJSONObject: addingDeprecatedKeys(object), options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    /// Deprecated keys by the key that replaces them, for the objects of each list.
    private static let deprecatedKeys: [String: [String: String]] = [
        "mailings": ["recipients": "planned", "blocking_kind": "holdup_kind", "blocking_reason": "holdup"],
        "processes": ["is_leader": "has_duty"],
    ]

    /// The values of the deprecated `holdup_kind` where `blocking_kind` has others.
    private static let deprecatedKinds = [
        "scheduled": "start", "not_due": "due", "decision_needed": "undecided", "breaker_open": "down", "provider_pause": "asked",
        "limit": "limited", "collector_lag": "lag",
    ]

    private func addingDeprecatedKeys(_ object: Any) -> Any {
        guard var object = object as? [String: Any] else { return object }
        for (list, keys) in Self.deprecatedKeys {
            guard let items = object[list] as? [[String: Any]] else { continue }
            object[list] = items.map { item in
                var item = item
                for (current, deprecated) in keys {
                    item[deprecated] = item[current]
                    if let kind = item[current] as? String, current == "blocking_kind" {
                        item[deprecated] = Self.deprecatedKinds[kind] ?? kind
                    }
                }
                return item
            }
        }
        object["batch_streams"] = batchStreams
        return object
    }

    /// The deprecated `batch_streams`: lanes by their channel.
    private var batchStreams: [[String: Any]] {
        Dictionary(grouping: lanes, by: \.channel).sorted { $0.key < $1.key }.map { channel, lanes in
            [
                "channel": channel, "ready": lanes.reduce(0) { $0 + $1.ready }, "in_work": lanes.reduce(0) { $0 + $1.inFlight },
                "oldest_seconds": lanes.map(\.oldestSeconds).max() ?? 0,
            ]
        }
    }
}
