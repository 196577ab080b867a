import Foundation
import Model
import Policy
import Testing
import Text

@testable import Settings

@Suite struct VisitorRuleFileTests {
    /// The rules of a file called `visitors.yaml`, and what is said of it; `ranges.csv` lies beside it.
    private func read(_ yaml: String, ranges: String = "") throws -> (rules: VisitorRules, problems: [String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-visitors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path()
        try Data(ranges.utf8).write(to: folder.appending(path: "ranges.csv"))
        try Data(yaml.replacing("RANGES", with: "\(path)/ranges.csv").utf8).write(to: folder.appending(path: "visitors.yaml"))
        let (rules, problems) = VisitorRuleFile.read("\(path)/visitors.yaml")
        return (rules, problems.map { $0.description.replacing(path + "/", with: "") })
    }

    private func event(_ agent: String, network: String = "") -> TrackedEvent {
        var event = TrackedEvent(.click, mailing: 1, batch: 0, index: 0, time: 0)
        (event.agent, event.network) = (agent, network)
        return event
    }

    @Test func ownRulesStandBeforeTheBuiltInOnes() throws {
        let (rules, problems) = try read(
            """
            version: 2026-12-01
            bursts: {window: 3s, links: 6, all_of: 4, pixel_before: 0s, domain_recipients: 8, domain_share: 20}
            networks:
              office: [203.0.113.0/24, "2001:db8::/32"]
              apple-proxy: {file: RANGES}
            rules:
              - {agent: OurMonitor, class: machine, because: our own monitoring}
              - {agent: "^curl/", network: office, class: human}
              - {agent: [one, two], but_not: three, method: [get, head], action: click, class: proxied}
            """, ranges: "# of Apple\n198.51.100.0/25,GB,GB-EN,London,\r\n2001:db8:1::/48,US,US-CA,Cupertino,\n\n")
        #expect(problems == [])
        #expect(rules.version == "2026-12-01" && rules.bursts.window == 3000 && rules.bursts.pixelBefore == 0)
        #expect((rules.bursts.links, rules.bursts.allOf, rules.bursts.domainRecipients, rules.bursts.domainShare) == (6, 4, 8, 20))
        #expect(rules.rules.count == VisitorRules.builtInRules.count + 3)
        func name(_ text: String) -> String { rules.networks.name(of: IPAddress.number(Array(text.utf8)) ?? 0) }
        #expect(
            ["203.0.113.9", "198.51.100.9", "2001:db8:1::9", "17.1.1.1", "209.222.80.1"].map(name) == [
                "office", "apple-proxy", "apple-proxy", "", "barracuda",
            ])
        let classifier = EventClassifier(rules)
        #expect(classifier.classify(event("OurMonitor/1.0")) == .machine)
        #expect(classifier.rule(for: event("ourmonitor"))?.name == "our own monitoring")
        #expect(classifier.classify(event("curl/8", network: "office")) == .human && classifier.classify(event("curl/8")) == .machine)
        #expect(classifier.classify(event("a one")) == .proxied && classifier.classify(event("a one three")) == .human)
    }

    @Test func aFileMayReplaceTheBuiltInRules() throws {
        let (rules, problems) = try read("version: ours\nreplace: true\nrules: [{agent: robot, class: machine}]")
        #expect(problems == [] && rules.rules.count == 1 && rules.networks.isEmpty)
        #expect(EventClassifier(rules).classify(event("curl/8")) == .human)
    }

    @Test func settingsHaveTheRulesOfTheFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flotilla-visitors-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("version: ours".utf8).write(to: file)
        let settings = try Settings.load(environment: ["FLOTILLA_TRACKER_VISITORS": file.path()])
        #expect(settings.visitors.version == "ours" && settings.visitors.rules == VisitorRules.builtInRules)
        #expect(Settings().visitors == .builtIn)
        #expect(throws: SettingsError.self) { try Settings.load(environment: ["FLOTILLA_TRACKER_VISITORS": file.path() + "x"]) }
    }

    @Test(arguments: [
        ("rules: []", "visitors.yaml:1: version: is missing; name your rules"),
        ("- a", "visitors.yaml:1: must be a section with version, replace, bursts, networks, rules"),
        ("version: 1\nrule: []", "visitors.yaml:2: rule: unknown key; did you mean rules?"),
        ("version: 1\nreplace: perhaps", "visitors.yaml:2: replace: 'perhaps' is not allowed; allowed: true, false"),
        ("version: 1\nbursts: {links: 1}", "visitors.yaml:2: bursts.links: '1' is not allowed; allowed: 2 to 1000"),
        ("version: 1\nbursts:\n  window: 2", "visitors.yaml:3: bursts.window: '2' is not allowed; allowed: 100ms to 1m"),
        ("version: 1\nbursts: {windows: 2s}", "visitors.yaml:2: bursts.windows: unknown key; did you mean window?"),
        (
            "version: 1\nnetworks:\n  a: [10.0.0.0/33]",
            "visitors.yaml:3: networks.a: '10.0.0.0/33' is not allowed; allowed: a network such as"
        ),
        ("version: 1\nnetworks:\n  a: {file: /no/such.csv}", "visitors.yaml:3: networks.a: /no/such.csv cannot be read"),
        ("version: 1\nnetworks:\n  a b: [10.0.0.0/8]", "visitors.yaml:3: networks.a b: is no name; allowed: "),
        ("version: 1\nnetworks:\n  a: {file: RANGES}", "ranges.csv:2: networks.a: 'nonsense' is no network such as"),
        ("version: 1\nrules: {}", "visitors.yaml:2: rules: must be a list of rules"),
        ("version: 1\nrules:\n  - {agent: x}", "visitors.yaml:3: class: is missing; allowed: human, proxied, machine"),
        ("version: 1\nrules:\n  - {class: machine}", "visitors.yaml:3: agent: is missing; a rule needs"),
        (
            "version: 1\nrules:\n  - {agent: x, class: robot}",
            "visitors.yaml:3: class: 'robot' is not allowed; allowed: human, proxied, machine"
        ),
        ("version: 1\nrules:\n  - {agents: x, class: machine}", "visitors.yaml:3: agents: unknown key; did you mean agent?"),
        (
            "version: 1\nrules:\n  - {agent: x, method: put, class: machine}",
            "visitors.yaml:3: method: 'put' is not allowed; allowed: get, head, post"
        ),
        (
            "version: 1\nrules:\n  - {network: barracude, class: machine}",
            "visitors.yaml:3: network: 'barracude' has no ranges; did you mean barracuda?"
        ),
        ("version: 1\nrules:\n  - {agent: [], class: machine}", "visitors.yaml:3: agent: must be one value or a list of values"),
        ("version: 1\nrules:\n  - {agent: {a: b}, class: machine}", "visitors.yaml:3: agent: must be one value; allowed: "),
    ]) func badFilesAreRefusedWithTheirPlace(yaml: String, problem: String) throws {
        let (_, problems) = try read(yaml, ranges: "10.0.0.0/8\nnonsense,GB\n")
        #expect(problems.contains { $0.hasPrefix(problem) }, "\(problems)")
        #expect(problems.count == 1)
    }
}
