import Foundation
import Model

@testable import Loadtest

/// Results as a run could leave them behind.
enum MadeUpRun {
    /// What would break out of any place in the page that does not escape it.
    static let hostile = #"</script><script>alert("x")</script><!-- & 'q' <b>{{data}}"#

    static func result(name: String = "provider-outage", seconds: Int = 90) -> RunResult {
        RunResult(
            scenario: .init(name: name, about: "What happens when it goes away", file: "loadtest/scenarios/x.yaml"),
            version: "0.5.0", machine: .init(cores: 2, memoryBytes: 25_276_502_016, kernel: "Linux 6.1.0"),
            began: 1_795_333_000_000, seconds: Double(seconds), good: false,
            expectations: [
                .init(what: "rate", wanted: ">= 4800/s", seen: "4,322/s", good: false, note: "It was away for 30 s."),
                .init(what: "losses", wanted: "0", seen: "0", good: true),
            ],
            mailings: [
                mailing("big", recipients: 500_000, seconds: 112.2), mailing("small", recipients: 1000, seconds: nil),
            ],
            steps: [
                .init(
                    workers: 8, at: 0, seconds: 40.1, messages: 160_000, perSecond: 3750, efficiency: 0.94,
                    cpuPerMessageMicroseconds: 24.2)
            ],
            panels: [
                panel("Messages by outcome", "messages/s", isStacked: true, ["sent", "failed"], seconds: seconds),
                panel("Delivery", "s", isStacked: false, ["p50", "p99"], seconds: seconds, limit: 1),
            ],
            events: [.init(at: 20, what: "worker-3 killed"), .init(at: 70, what: "2 workers added")],
            roles: [
                .init(
                    name: "worker-1", kind: "worker", cpuSeconds: 14.2, cpuPerMessageMicroseconds: 23.4,
                    peakMemoryBytes: 71_000_000, exits: ["killed at 20 s", "code 0"]),
                .init(name: "relay", kind: "sink", cpuSeconds: 9, cpuPerMessageMicroseconds: nil, peakMemoryBytes: nil),
            ],
            notes: ["The sink answered 421 to 1,204 connections."])
    }

    static func mailing(_ name: String, recipients: Int, seconds: Double?) -> RunResult.Mailing {
        .init(
            name: name, id: "01JD8Q7V0X4S2T6N9B3M5K7H1C", channel: .email, recipients: recipients,
            arrived: recipients - 3, twice: 0, missing: 3, failed: 0, uncertain: 12, seconds: seconds, perSecond: 4456)
    }

    static func panel(
        _ title: String, _ unit: String, isStacked: Bool, _ labels: [String], seconds: Int, limit: Double? = nil
    ) -> RunResult.Panel {
        .init(
            title: title, unit: unit, note: "From the counters.", isStacked: isStacked,
            lines: labels.enumerated().map { index, label in
                let values = (0..<seconds).map { 4321.123456 + sin(Double($0 * (index + 1))) * 987.654321 }
                return .init(
                    label: label,
                    points: values.enumerated().map { .init(at: Double($0.offset) + 0.123456, value: $0.element) })
            },
            limit: limit.map { [.init(at: 0, value: $0)] })
    }
}
