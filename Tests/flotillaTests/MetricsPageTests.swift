import Foundation
import TestServers
import Testing

/// docs/metrics.md against what processes expose.
@Suite(.timeLimit(.minutes(5))) struct MetricsPageTests {
    /// Of each metric on the page, the values that it lists for each label; nil for a label of open values.
    private func page() throws -> [String: [String: Set<String>?]] {
        let text = try Repository.text("docs/metrics.md")
        var metrics: [String: [String: Set<String>?]] = [:]
        for row in text.split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            var labels: [String: Set<String>?] = [:]
            for label in cells[3].split(separator: ";") {
                let parts = label.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                guard parts.count == 2 else { continue }
                let values = parts[1].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                let isList = values.allSatisfy { $0.wholeMatch(of: #/[a-z0-9_]+/#) != nil }
                labels[parts[0].trimmingCharacters(in: ["`"])] = .some(isList ? Set(values) : nil)
            }
            metrics[cells[0].trimmingCharacters(in: ["`"])] = labels
        }
        return metrics
    }

    /// Metrics of which a process makes the series of all values at once.
    private static let complete = [
        "flotilla_messages_total", "flotilla_results_written_total", "flotilla_planner_rows_total", "flotilla_mailings",
        "flotilla_recipients_skipped_total", "flotilla_throttle_wait_seconds", "flotilla_retries_total",
    ]

    @Test func labelsAndValuesAreThoseThatProcessesExpose() async throws {
        let ports = try (0..<3).map { _ in try freePort() }
        let fleet = try await Fleet(200, sink: ["--fail", "450=0.1"], extra: "batch_size: 20\nspeed: 2000/s\n")
        for (role, port) in zip(["planner", "worker", "collector"], ports) {
            try fleet.start(role, environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(port)"])
        }
        try await fleet.state("sent")
        let page = try page()
        let renamed = try Repository.text("docs/changelog.md")
        var found: [String: [String: Set<String>]] = [:]
        try await eventually("the gauges are set") {
            found = [:]
            for port in ports { try read(try await get("http://127.0.0.1:\(port)/metrics"), into: &found) }
            return found["flotilla_mailings"] != nil
        }
        for (name, labels) in found where name.hasPrefix("flotilla_") {
            guard let listed = page[name] else {
                // For this version a renamed metric has its old name, too.
                #expect(renamed.contains("`\(name)`"), "\(name) is not on the page")
                continue
            }
            #expect(Set(labels.keys) == Set(listed.keys), "\(name)")
            for (label, values) in labels {
                guard let known = listed[label] ?? nil else { continue }
                #expect(values.isSubset(of: known), "\(name), \(label): \(values.subtracting(known)) are not on the page")
                guard Self.complete.contains(name), label != "channel", label != "class" else { continue }
                #expect(values == known, "\(name), \(label): \(known.subtracting(values)) do not exist")
            }
        }
        for name in Self.complete { #expect(found[name] != nil, "\(name)") }
        try await fleet.endAll()
    }

    /// Reads the series of the text format; those of a histogram count under its name.
    private func read(_ text: String, into found: inout [String: [String: Set<String>]]) throws {
        var type: (name: String, isHistogram: Bool) = ("", false)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let parts = line.split(separator: " ")
                type = (String(parts[2]), parts[3] == "histogram")
                found[type.name] = found[type.name] ?? [:]
            }
            guard !line.hasPrefix("#") else { continue }
            for label in line.matches(of: #/([a-z_]+)="((?:[^"\\]|\\.)*)"/#) where !(type.isHistogram && label.1 == "le") {
                found[type.name, default: [:]][String(label.1), default: []].insert(String(label.2))
            }
        }
    }
}
