import CoreMetrics
import Foundation
import Testing

@testable import Telemetry

@Suite struct MetricCatalogueTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// One series of every metric of the catalogue, and some of libraries.
    private func everything() -> PrometheusMetrics {
        let metrics = PrometheusMetrics()
        for metric in MetricCatalogue.flotilla.metrics {
            let labels = metric.labels.map { label in
                if case .fixed(let values) = label.values, let first = values.first { return (label.name, first) }
                return (label.name, "odd \"value\" \\ of\nmany kinds")
            }
            switch metric.type {
            case .counter: Counter(label: metric.name, dimensions: labels, factory: metrics).increment(by: 12)
            case .gauge: Gauge(label: metric.name, dimensions: labels, factory: metrics).record(0.000_001)
            case .histogram:
                Timer(label: metric.name, dimensions: labels, factory: metrics).recordMilliseconds(3)
            }
        }
        metrics.addProcess(version: "0.1.0")
        return metrics
    }

    @Test func everyMetricCanBeMadeAsTheCatalogueSays() throws {
        let metrics = everything()
        let page = try Exposition(metrics.exposition())
        for metric in MetricCatalogue.flotilla.metrics {
            let family = try #require(page[metric.name], "\(metric.name)")
            #expect(family.type == metric.type.rawValue)
            #expect(family.help == metric.help)
        }
        #expect(metrics.unlisted.isEmpty)
        #expect(metrics.mislabelled.isEmpty)
    }

    @Test func promtoolFindsNothingToSay() throws {
        let promtool = try #require(
            ["/usr/bin/promtool", "/usr/local/bin/promtool"].first { FileManager.default.isExecutableFile(atPath: $0) },
            "promtool is missing: apt-get install -y --no-install-recommends prometheus")
        let process = Process()
        process.executableURL = URL(filePath: promtool)
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(everything().exposition().utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(said == "")
        #expect(process.terminationStatus == 0)
    }

    @Test func namesFollowTheConventions() {
        let names = MetricCatalogue.flotilla.metrics.map(\.name)
        #expect(Set(names).count == names.count)
        for metric in MetricCatalogue.flotilla.metrics {
            #expect((metric.type == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect(metric.name == PrometheusText.metricName(metric.name))
            #expect(metric.help.hasSuffix("."))
            #expect(metric.buckets == metric.buckets.sorted())
            #expect((metric.type == .histogram) == !metric.buckets.isEmpty)
            if metric.type == .histogram { #expect(metric.name.hasSuffix("_seconds")) }
        }
    }

    @Test func thePageListsEveryMetricAndNoOther() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") }
        #expect(rows == MetricCatalogue.flotilla.metrics.map(\.row))
    }

    @Test func metricsNamedInTheSourcesAreInTheCatalogue() throws {
        let sources = Self.root.appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        let label = #/label:\s*"(flotilla_[a-z0-9_]+)"/#
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: label) {
                #expect(MetricCatalogue.flotilla[String(match.1)] != nil, "\(file.lastPathComponent): \(match.1)")
            }
        }
    }
}

extension MetricDescription {
    /// The metric's row in `docs/metrics.md`.
    var row: String {
        let labels = labels.map { label in
            switch label.values {
            case .fixed(let values): "`\(label.name)`: \(values.joined(separator: ", "))"
            case .open(let what): "`\(label.name)`: \(what)"
            }
        }
        return "| `\(name)` | \(type.rawValue) | \(unit) | \(labels.joined(separator: "; ")) | \(help) |"
    }
}
