import Foundation
import TestServers
import Testing

/// The configuration, the rules and the dashboard that we ship, against a real Prometheus and a running fleet.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PrometheusTests {
    /// What panels and rules may name although a fleet does not have it, and why.
    private static let notInTheScrape = [
        "ALERTS": "Prometheus makes it of what fires",
        "flotilla_metrics_refused_total": "begins with the first refusal, which is a defect",
        "flotilla_tracker_events_dropped_total": "is a tracker's, and this fleet has none",
        "flotilla_tracker_receipts_total": "is a tracker's too",
        "flotilla_tracker_webhooks_refused_total": "is a tracker's too",
        "flotilla_tracker_events_waiting": "is a tracker's",
        "flotilla_tracker_requests_total": "is a tracker's",
        "flotilla_tracker_tokens_refused_total": "is a tracker's",
        "flotilla_tracker_spool_bytes": "is a tracker's",
        "flotilla_tracker_questions_total": "is a tracker's",
        "flotilla_tracker_answers_total": "is a tracker's",
        "flotilla_webhook_failing_seconds": "is of a role that this fleet does not have",
        "flotilla_events_written_total": "begins with the first visit",
        "flotilla_events_dropped_total": "begins with the first visit",
        "flotilla_events_uncounted": "begins when many visits come",
        "flotilla_receipts_written_total": "begins with the first receipt",
        "flotilla_receipts_unknown_total": "begins with the first receipt",
        "flotilla_tracker_receipts_spool_bytes": "is a tracker's",
    ]

    /// Panels that show nothing while all is well, or nobody visits.
    private static let emptyPanels: Set = [
        "Alerts", "Requests of visitors", "Visits that wait in trackers", "Spools of trackers", "Visits counted",
        "Receipts of providers",
    ]

    @Test func theConfigurationAndTheRulesAreSound() throws {
        try promtool("check", "config", "prometheus.yml")
        try promtool("check", "rules", "rules/recording.yml", "rules/alerts.yml")
        try promtool("test", "rules", "rules/tests/fires.yml", "rules/tests/silent.yml")
        let fires = try names(#/alertname: (\w+)\n.*\n +exp_alerts:\n +- exp_labels/#, "rules/tests/fires.yml")
        let silent = try names(#/alertname: (\w+), eval_time: \w+}]\n/#, "rules/tests/silent.yml")
        let alerts = try names(#/- alert: (\w+)\n/#, "rules/alerts.yml")
        #expect(!alerts.isEmpty && fires == alerts && silent == alerts)
    }

    @Test func everyAlertHasItsParagraphAndTheCommandsInItExist() async throws {
        let alerts = try names(#/- alert: (\w+)\n/#, "rules/alerts.yml")
        let rules = try Repository.text("deploy/prometheus/rules/alerts.yml")
        let metrics = try Repository.text("docs/metrics.md")
        let page = try Repository.text("docs/operations.md")
        let section = try #require(page.range(of: "\n## Alerts\n")).upperBound
        // GitHub's anchor of a heading of one word is the word in small letters.
        let paragraphs = Dictionary(
            page[section...].split(separator: "\n### ").dropFirst().map { part in
                (part.prefix { $0 != "\n" }.lowercased(), String(part))
            }, uniquingKeysWith: { first, _ in first })
        #expect(Set(paragraphs.keys) == Set(alerts.map { $0.lowercased() }))
        for alert in alerts {
            #expect(rules.contains("runbook: docs/operations.md#\(alert.lowercased())\n"), "\(alert)")
            #expect(metrics.contains("`\(alert)`"), "\(alert)")
            let paragraph = paragraphs[alert.lowercased()] ?? ""
            for part in ["What it means", "What to look at", "What to do"] {
                #expect(paragraph.contains("- **\(part).** "), "\(alert): \(part)")
            }
            for link in paragraph.matches(of: #/\]\(#(\w+)\)/#) { #expect(paragraphs[String(link.1)] != nil, "\(alert): \(link.1)") }
        }
        let commands = Set(page.matches(of: #/`flotilla ([a-z]+)( [a-z]+)?/#).map { "\($0.1)\($0.2 ?? "")" })
        #expect(commands.count > 5)
        for command in commands {
            let help = try await Program.run(command.split(separator: " ").map(String.init) + ["--help"])
            #expect(help.status == 0, "\(command): \(help.errors)")
        }
    }

    @Test func theDashboardIsWellFormed() throws {
        let dashboard = try Dashboard.read()
        #expect(
            dashboard.panels.filter { $0.type == "row" }.map(\.title) == ["Overview", "Throttling", "Lanes and streams", "Roles", "Visits"])
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        #expect(dashboard.templating.list.map(\.name) == ["datasource", "fleet", "instance", "provider"])
        var taken: [Int: String] = [:]
        for panel in dashboard.panels {
            #expect(panel.type == "row" || (panel.description?.isEmpty == false && panel.targets?.isEmpty == false), "\(panel.title)")
            #expect(panel.datasource == nil || panel.datasource?.uid == "${datasource}")
            let place = panel.gridPos
            #expect(place.x + place.w <= 24)
            for y in place.y..<place.y + place.h {
                for x in place.x..<place.x + place.w {
                    #expect(taken.updateValue(panel.title, forKey: 24 * y + x) == nil, "\(panel.title) covers another panel")
                }
            }
        }
    }

    @Test func whatRulesAndPanelsAskForIsThereInARunningFleet() async throws {
        // A limit and a speed, retries, a provider that asks to slow down, one that is not there.
        let fleet = try await Fleet(
            8_000, sink: ["--latency", "5ms", "--fail", "450=0.05"], extra: "batch_size: 100\nspeed: 300/s\n")
        let hook = try await RunningSink("http", ["--fail", "429=0.3"])
        _ = try await fleet.add(12_000, provider: hook.url, body: #"{"to":"{{email}}"}"#)
        _ = try await fleet.add(100, provider: "smtp://127.0.0.1:\(try freePort())")
        #expect(try await fleet.run("limit", "set", "provider:\(fleet.sink.url)", "250/s").status == 0)
        let names = ["planner", "collector", "worker-1", "worker-2"]
        let targets = try names.map { Prometheus.Target(role: String($0.prefix { $0 != "-" }), port: try freePort()) }
        // It is there first, for some of what is looked for passes.
        let prometheus = try await Prometheus(targets)
        for (name, target) in zip(names, targets) {
            try fleet.start(name, environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(target.port)"])
        }
        var last: [Prometheus.Targets.Active] = []
        try await eventually("all roles are scraped: \(fleet.logs)") {
            last = try prometheus.targets()
            return last.count == targets.count && last.allSatisfy { $0.health == "up" }
        }
        #expect(Set(last.compactMap { $0.labels["role"] }) == ["planner", "collector", "worker"])
        #expect(last.allSatisfy { $0.labels["fleet"] == Prometheus.fleet && $0.labels["job"] == "flotilla" })

        // Rules: all are evaluated without an error.
        var rules: [Prometheus.Rules.Rule] = []
        try await eventually("all rules are evaluated") {
            rules = try prometheus.rules()
            return !rules.isEmpty && rules.allSatisfy { $0.health != "unknown" }
        }
        for rule in rules { #expect(rule.health == "ok", "\(rule.name): \(rule.lastError ?? "")") }

        // Panels: each query finds something, with the labels of its legend, so that none is misspelt either.
        let dashboard = try Dashboard.read()
        var queries = dashboard.queries(fleet: Prometheus.fleet)
        #expect(queries.count > 40)
        for query in dashboard.variables { queries.append(("variable", "count(\(query))", [])) }
        var empty = queries
        do {
            try await eventually("each panel shows something") {
                empty = try empty.filter { try !prometheus.shows($0.query, labels: $0.labels) && !Self.emptyPanels.contains($0.panel) }
                return empty.isEmpty
            }
        } catch {
            Issue.record("\(error): \(empty)\n\(fleet.logs)")
        }

        // Names: all that are asked for are there.
        let known = try prometheus.names()
        for (place, query) in rules.map({ ($0.name, $0.query) }) + queries.map({ ($0.panel, $0.query) }) {
            let named = PromQL.metrics(in: query)
            #expect(!named.isEmpty, "\(place)")
            for name in named where !known.contains(name) { #expect(Self.notInTheScrape[name] != nil, "\(place): there is no \(name)") }
        }
        for name in Self.notInTheScrape.keys where name != "ALERTS" {
            #expect(try Repository.text("docs/metrics.md").contains("| `\(name)` |"), "\(name)")
        }

        for target in targets { try checkPage(of: target) }
        #expect(!prometheus.log.contains("level=error"), "\(prometheus.log)")
    }

    private func checkPage(of target: Prometheus.Target) throws {
        let folder = try TemporaryFolder()
        let page = try folder.write(try Web.get("http://127.0.0.1:\(target.port)/metrics"), to: "page")
        try promtool("check", "metrics", input: page)
    }

    /// Runs promtool where the configuration is; what it says fails the test, if it fails.
    private func promtool(_ arguments: String..., input: String = "/dev/null") throws {
        let folder = try TemporaryFolder()
        let place = Repository.root.appending(path: "deploy/prometheus").path
        let shell = try ServerProcess(
            "sh", ["-c", #"cd "$1" && input=$2 && shift 2 && exec promtool "$@" < "$input""#, "sh", place, input] + arguments,
            package: "prometheus", output: folder.path("out"))
        let status = shell.wait()
        let said = try String(contentsOfFile: folder.path("out"), encoding: .utf8)
        #expect(status == 0, "promtool \(arguments): \(said) (deploy/test installs prometheus)")
    }

    private func names(_ pattern: Regex<(Substring, Substring)>, _ file: String) throws -> Set<String> {
        Set(try Repository.text("deploy/prometheus/\(file)").matches(of: pattern).map { String($0.1) })
    }
}

/// What we look at of Grafana's dashboard.
private struct Dashboard: Decodable {
    struct Panel: Decodable {
        struct Place: Decodable { var x, y, w, h: Int }
        struct Target: Decodable { var expr, legendFormat: String }
        struct Source: Decodable { var uid: String }
        var id: Int
        var type: String
        var title: String
        var description: String?
        var gridPos: Place
        var datasource: Source?
        var targets: [Target]?
    }
    struct Variables: Decodable {
        struct Variable: Decodable {
            struct Query: Decodable { var query: String }
            var name: String
            var query: Query?

            enum CodingKeys: CodingKey { case name, query }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                name = try container.decode(String.self, forKey: .name)
                // That of the data source is a word.
                query = try? container.decode(Query.self, forKey: .query)
            }
        }
        var list: [Variable]
    }
    var panels: [Panel]
    var templating: Variables

    static func read() throws -> Dashboard {
        try JSONDecoder().decode(Dashboard.self, from: Data(try Repository.text("deploy/grafana/dashboards/flotilla.json").utf8))
    }

    /// The queries of all panels, as Grafana asks them with all processes and providers chosen.
    func queries(fleet: String) -> [(panel: String, query: String, labels: [String])] {
        panels.flatMap { panel in
            (panel.targets ?? []).map { target in
                let labels = target.legendFormat.matches(of: #/{{(\w+)}}/#).map { String($0.1) }
                return (panel.title, Self.filled(target.expr, fleet: fleet), labels)
            }
        }
    }

    /// The series whose labels the variables list.
    var variables: [String] {
        templating.list.compactMap { variable in
            variable.query.flatMap { $0.query.firstMatch(of: #/label_values\((.*), \w+\)/#) }
                .map { Self.filled(String($0.1), fleet: Prometheus.fleet) }
        }
    }

    private static func filled(_ query: String, fleet: String) -> String {
        query.replacing("$__rate_interval", with: "1m").replacing("$fleet", with: fleet)
            .replacing("$instance", with: ".*").replacing("$provider", with: ".*")
    }
}

/// As much of PromQL as is needed to find the names of metrics in a query that Prometheus has taken.
private enum PromQL {
    private static let words: Set = ["and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"]

    static func metrics(in query: String) -> Set<String> {
        var text = query.replacing(#/"(\\.|[^"\\])*"/#, with: "").replacing(#/\{[^}]*\}|\[[^\]]*\]/#, with: "")
        text.replace(#/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/#, with: "")
        // Functions, and words before brackets.
        text.replace(#/[a-z_]+\s*\(/#, with: "(")
        return Set(
            text.matches(of: #/(?:^|[^a-zA-Z0-9_:.])([a-zA-Z_:][a-zA-Z0-9_:]*)/#).map { String($0.1) }
                .filter { !words.contains($0.lowercased()) })
    }
}
