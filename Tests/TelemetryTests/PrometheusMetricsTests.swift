import CoreMetrics
import Foundation
import Model
import Testing

@testable import Telemetry

@Suite struct PrometheusMetricsTests {
    private let small = MetricCatalogue([
        .counter("test_things_total", "things", [.init(name: "kind", values: .fixed(["a", "b"]))], "Things."),
        .seconds("test_wait_seconds", [], buckets: [0.1, 1], "Waits."),
    ])

    @Test func countersWithTheSameLabelsInAnyOrderAreOne() throws {
        let metrics = PrometheusMetrics()
        Counter(label: "x_total", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment(by: 3)
        Counter(label: "x_total", dimensions: [("b", "2"), ("a", "1")], factory: metrics).increment()
        FloatingPointCounter(label: "x_total", dimensions: [("a", "1"), ("b", "2")], factory: metrics)
            .increment(by: 0.5)
        let page = try Exposition(metrics.exposition())
        #expect(page.value("x_total", ["a": "1", "b": "2"]) == 4.5)
    }

    @Test func gaugesAndMetersShowTheLastValue() throws {
        let metrics = PrometheusMetrics()
        let gauge = Gauge(label: "depth", factory: metrics)
        gauge.record(7)
        gauge.record(2.5)
        let meter = Meter(label: "level", factory: metrics)
        meter.set(10)
        meter.increment(by: 2)
        meter.decrement(by: 0.5)
        let page = try Exposition(metrics.exposition())
        #expect(page.value("depth") == 2.5)
        #expect(page.value("level") == 11.5)
        #expect(page["depth"]?.type == "gauge")
    }

    @Test func timersAreHistogramsOfSeconds() throws {
        let metrics = PrometheusMetrics(catalogue: small)
        let timer = Timer(label: "test_wait_seconds", factory: metrics)
        timer.recordNanoseconds(100_000_000)  // a bound belongs to its bucket
        timer.recordNanoseconds(100_000_001)
        timer.recordSeconds(3)
        timer.recordNanoseconds(-5)
        let text = metrics.exposition()
        let page = try Exposition(text)
        #expect(page.value("test_wait_seconds_bucket", ["le": "0.1"]) == 2)
        #expect(page.value("test_wait_seconds_bucket", ["le": "1"]) == 3)
        #expect(page.value("test_wait_seconds_bucket", ["le": "+Inf"]) == 4)
        #expect(page.value("test_wait_seconds_count") == 4)
        #expect(page.value("test_wait_seconds_sum") == 3.200000001)
        #expect(
            text == """
                # HELP test_wait_seconds Waits.
                # TYPE test_wait_seconds histogram
                test_wait_seconds_bucket{le="0.1"} 2
                test_wait_seconds_bucket{le="1"} 3
                test_wait_seconds_bucket{le="+Inf"} 4
                test_wait_seconds_sum 3.200000001
                test_wait_seconds_count 4

                """)
    }

    @Test func namesOfLibrariesAreMadeValid() throws {
        let metrics = PrometheusMetrics()
        Counter(label: "hb.requests", dimensions: [("hb.uri", "/"), ("le", "x"), ("__y", "z")], factory: metrics)
            .increment()
        Timer(label: "9lives-time", factory: metrics).recordSeconds(1)
        let page = try Exposition(metrics.exposition())
        #expect(page.names == ["_9lives_time_seconds", "hb_requests_total"])
        #expect(
            page["hb_requests_total"]?.samples.first?.labels == ["hb_uri": "/", "exported_le": "x", "label__y": "z"])
        #expect(metrics.unlisted == ["_9lives_time_seconds", "hb_requests_total"])
    }

    @Test func labelValuesAndHelpAreEscaped() throws {
        let metrics = PrometheusMetrics(
            catalogue: MetricCatalogue([.counter("odd_total", "", [], "Back\\slash and\nline feed and \"quotes\".")]))
        let odd = "a\\b\"c\nd\té–🚢"
        Counter(label: "odd_total", dimensions: [("v", odd)], factory: metrics).increment()
        let text = metrics.exposition()
        #expect(text.contains(#"# HELP odd_total Back\\slash and\nline feed and "quotes"."# + "\n"))
        #expect(try Exposition(text)["odd_total"]?.samples.first?.labels == ["v": odd])
    }

    @Test func labelSetsBeyondTheLimitAreCountedAsOther() throws {
        let metrics = PrometheusMetrics(seriesLimit: 10)
        for number in 0..<50 {
            Counter(label: "wild_total", dimensions: [("id", "\(number)"), ("x", "y")], factory: metrics).increment()
        }
        let page = try Exposition(metrics.exposition())
        #expect(page["wild_total"]?.samples.count == 11)
        #expect(page.value("wild_total", ["id": "other", "x": "other"]) == 40)
        let refused = ["metric": "wild_total", "reason": "cardinality"]
        #expect(page.value("flotilla_metrics_refused_total", refused) == 40)
    }

    @Test func aRenamedMetricIsExposedUnderItsDeprecatedNameToo() throws {
        let metrics = PrometheusMetrics()
        Counter(label: "flotilla_batches_quarantined_total", factory: metrics).increment(by: 3)
        let page = try Exposition(metrics.exposition())
        #expect(page.value("flotilla_batches_quarantined_total") == 3)
        #expect(page.value("flotilla_batches_set_aside_total") == 3)
        #expect(page["flotilla_batches_set_aside_total"]?.type == "counter")
    }

    @Test func deprecatedNamesAreOfMetricsOfTheCatalogueAndNotTakenThere() {
        for (current, deprecated) in MetricAliases.deprecated {
            #expect(MetricCatalogue.flotilla[current] != nil, "\(current)")
            #expect(MetricCatalogue.flotilla[deprecated] == nil, "\(deprecated)")
        }
    }

    @Test func aSecondTypeForANameIsRefused() throws {
        let metrics = PrometheusMetrics()
        Gauge(label: "thing_total", factory: metrics).record(5)
        Counter(label: "thing_total", factory: metrics).increment()
        let page = try Exposition(metrics.exposition())
        #expect(page["thing_total"]?.type == "gauge")
        #expect(page.value("thing_total") == 5)
        #expect(
            page.value("flotilla_metrics_refused_total", ["metric": "thing_total", "reason": "type"]) == 1)
    }

    @Test func labelsThatTheCatalogueDoesNotHaveAreReported() {
        let metrics = PrometheusMetrics(catalogue: small)
        _ = Counter(label: "test_things_total", dimensions: [("kind", "a")], factory: metrics)
        #expect(metrics.mislabelled.isEmpty)
        _ = Counter(label: "test_things_total", dimensions: [("kind", "c")], factory: metrics)
        _ = Counter(label: "test_things_total", factory: metrics)
        #expect(metrics.mislabelled.count == 2)
        #expect(metrics.unlisted.isEmpty)
    }

    @Test func destroyedMetricsAreNoLongerExposed() {
        let metrics = PrometheusMetrics()
        let counter = Counter(label: "gone_total", factory: metrics)
        counter.increment()
        counter.destroy()
        #expect(metrics.exposition().isEmpty)
    }

    @Test func additionsOfManyThreadsAllCount() throws {
        let metrics = PrometheusMetrics(catalogue: small)
        let counter = Counter(label: "n_total", factory: metrics)
        let fractions = FloatingPointCounter(label: "f_total", factory: metrics)
        let timer = Timer(label: "test_wait_seconds", factory: metrics)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<10_000 {
                counter.increment(by: 2)
                fractions.increment(by: 0.25)
                timer.recordNanoseconds(1_000)
            }
        }
        let page = try Exposition(metrics.exposition())
        #expect(page.value("n_total") == 160_000)
        #expect(page.value("f_total") == 20_000)
        #expect(page.value("test_wait_seconds_count") == 80_000)
        #expect(page.value("test_wait_seconds_sum") == 0.08)
    }

    @Test func aProcessIsDescribed() throws {
        let metrics = PrometheusMetrics()
        metrics.addProcess(version: "1.2.3")
        let page = try Exposition(metrics.exposition())
        let build = ["version": "1.2.3", "swift": ProcessReading.swiftVersion]
        #expect(page.value("flotilla_build_info", build) == 1)
        #expect(page["process_cpu_seconds_total"]?.type == "counter")
        let memory = try #require(page.value("process_resident_memory_bytes"))
        #expect(memory > 1_000_000)
        #expect(try #require(page.value("process_open_fds")) >= 3)
        let start = try #require(page.value("process_start_time_seconds"))
        let age = Double(Clock.milliseconds()) / 1_000 - start
        #expect((-1..<3_600).contains(age))
    }

    /// A histogram holds what a plain count of the same values says, for values and bounds from a seeded generator.
    @Test(arguments: 0..<20) func aHistogramCountsAsAListDoes(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let bounds = (0..<12).map { _ in Double.random(in: 0...100, using: &generator) }.sorted()
        let cell = HistogramCell(bounds: bounds)
        let values = (0..<500).map { _ in
            Bool.random(using: &generator)
                ? Double.random(in: -5...120, using: &generator)
                : bounds.randomElement(using: &generator) ?? 0
        }
        for value in values { cell.record(value) }
        let snapshot = cell.snapshot()
        for index in bounds.indices {
            let cumulated = snapshot.buckets[...index].reduce(0, +)
            #expect(Int(cumulated) == values.count { $0 <= bounds[index] })
        }
        #expect(snapshot.buckets.reduce(0, +) == 500)
        #expect(abs(snapshot.sum - values.reduce(0, +)) < 1e-6)
    }
}
