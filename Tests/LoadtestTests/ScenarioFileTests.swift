import Foundation
import Model
import Policy
import Settings
import TestServers
import Testing

@testable import Loadtest

@Suite struct ScenarioFileTests {
    private static let whole = """
        about: "What it answers"
        redis: redis://127.0.0.1:6390
        seed: 7
        timeout: 5m
        sinks:
          relay: {protocol: smtp, latency: {p50: 20ms, p99: 90ms}, fail: "550=0.1;status=5.1.1"}
          gateway: {protocol: http, limit: {rate: 100/s, burst: 20, code: 429, retry_after: 1s}}
        fleet:
          workers: 4
          planners: 2
          settings:
            worker: {concurrency: 64, lease: 2s}
            providers: {relay: {limit: 500/s}}
        mailings:
          - {name: big, channel: email, provider: relay, recipients: 1000000, speed: 500/s}
          - {name: small, channel: sms, provider: gateway, recipients: 500, copies: 20, at: 10s, attempts: 3}
        script:
          - {at: 40s, do: restart, role: worker, each: 3s}
          - {at: 20s, do: add, role: worker, count: 2}
          - {at: 30s, do: kill, role: sink:relay}
          - {at: 31s, do: freeze, role: worker-2}
        expect:
          rate: ">= 480/s"
          cpu_per_message: "<= 60us"
          memory: {worker: "<= 200MB", redis: "<= 64MB"}
          duplicates: 0
          mailings: {small: {duration: "<= 10s"}}
        """

    private func read(_ text: String) throws -> Scenario {
        let folder = try TemporaryFolder()
        return try ScenarioFile.read(folder.write(text, to: "trial.yaml"))
    }

    /// What is wrong with a scenario, without the folder.
    private func problems(_ text: String) throws -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let error as SettingsError {
            return error.problems.map { problem in
                let line = problem.place.split(separator: ":").dropFirst().first.map { "\($0): " } ?? ""
                return "\(line)\(problem.key): \(problem.text)"
            }
        }
    }

    @Test func everyKeyIsRead() throws {
        let scenario = try read(Self.whole)
        #expect(scenario.name == "trial")
        #expect(scenario.about == "What it answers")
        #expect(scenario.redis == .given("redis://127.0.0.1:6390"))
        #expect(scenario.seed == 7 && scenario.timeout == 300)
        #expect(scenario.sinks.map(\.name) == ["relay", "gateway"])
        #expect(scenario.sinks[0].yaml.contains("550=0.1"))
        #expect(scenario.fleet.workers == 4 && scenario.fleet.planners == 2 && scenario.fleet.collectors == 1)
        #expect(scenario.fleet.settings.worker.concurrency == 64)
        #expect(scenario.fleet.settings.limits.providers["relay"]?.description == "500/s")
        #expect(scenario.mailings.map(\.copies) == [1, 20])
        #expect(scenario.mailings[1].at == 10 && scenario.mailings[1].extra == ["attempts": "3"])
        #expect(scenario.recipients == 1_010_000)
        #expect(scenario.script.map(\.at) == [20, 30, 31, 40])
        #expect(scenario.script.map(\.target) == [.kind(.worker), .sink("relay"), .member("worker-2"), .kind(.worker)])
        #expect(scenario.expectations.count == 6)
        #expect(scenario.expectations.last?.subject == .mailing("small"))
    }

    @Test func whatIsNotKnownIsRefusedWithItsLineAndWhatIsAllowed() throws {
        let found = try problems(
            """
            about: x
            sink: {}
            sinks:
              relay: {protocol: smtp, latency: 5x, conections: 4}
            fleet:
              workers: many
            mailings:
              - {name: news, channel: mail, provider: relay, recipients: 0, speed: 5}
              - {name: texts, channel: sms, provider: relay, recipients: 5, at: soon}
            script:
              - {at: 5s, do: explode, role: worker}
              - {at: 5s, do: kill, role: sink:none}
            expect:
              rat: 5
              rate: fast
              memory: {worker: "<= 5 apples"}
              efficiency: ">= 0.5"
            """)
        #expect(found.contains("2: sink: unknown key; did you mean sinks?"))
        #expect(found.contains("4: sinks.relay.conections: unknown key; did you mean connections?"))
        #expect(found.contains { $0.hasPrefix("4: sinks.relay.latency: '5x' is no latency") })
        #expect(found.contains("6: fleet.workers: 'many' is no whole number from 0 to 1000"))
        #expect(found.contains("8: mailings[0].channel: 'mail' is not allowed; allowed: email, sms, webhook, messenger"))
        #expect(found.contains { $0.hasPrefix("8: mailings[0].speed: '5' is no rate limit") })
        #expect(found.contains { $0.hasPrefix("9: mailings[1].at: 'soon' is no time") })
        #expect(found.contains { $0.hasPrefix("9: mailings[1].provider: speaks smtp") })
        #expect(found.contains { $0.hasPrefix("11: script[0].do: 'explode' is not allowed; allowed: add, remove, kill") })
        #expect(found.contains("12: script[1].role: 'sink:none' is none of the sinks: sink:relay"))
        #expect(found.contains("14: expect.rat: unknown key; did you mean rate?"))
        #expect(found.contains { $0.hasPrefix("15: expect.rate: 'fast' is not allowed; allowed: a rate") })
        #expect(found.contains { $0.hasPrefix("16: expect.memory.worker: '<= 5 apples' is not allowed; allowed: a size") })
        #expect(found.contains("17: expect.efficiency: is of scenarios with steps"))
        #expect(found == found.sorted { Int($0.prefix { $0 != ":" }) ?? 0 < Int($1.prefix { $0 != ":" }) ?? 0 })
    }

    @Test func sharesOfDomainsAreRead() throws {
        let text = Self.whole.replacingOccurrences(
            of: "speed: 500/s}", with: "speed: 500/s, domains: {gmail.example: 40%, outlook.example: 0.25}}")
        let scenario = try read(text)
        #expect(
            scenario.mailings[0].domains
                == [try SyntheticDomainShare("gmail.example", "0.4"), try SyntheticDomainShare("outlook.example", "25%")])
        #expect(scenario.mailings[1].domains.isEmpty)
    }

    @Test func sharesOfDomainsThatCannotBeAreRefused() throws {
        let found = try problems(
            """
            about: x
            sinks: {relay: {protocol: smtp}, gateway: {protocol: http}}
            mailings:
              - name: a
                channel: email
                provider: relay
                recipients: 5
                domains:
                  gmail.example: 80%
                  outlook.example: 0.3
              - name: b
                channel: email
                provider: relay
                recipients: 5
                domains:
                  gmail.com: 10%
                  gmail.example: 40
                  other.example: [1]
              - {name: c, channel: sms, provider: gateway, recipients: 5, domains: {gmail.example: 40%}}
              - {name: d, channel: email, provider: relay, recipients: 5, domains: gmail.example}
            """)
        #expect(found.count == 6, "\(found)")
        #expect(found.contains { $0.hasPrefix("9: mailings[0].domains: the shares come to 110.0%") }, "\(found)")
        #expect(found.contains { $0.hasPrefix("16: mailings[1].domains.gmail.com: a domain here ends in .example") })
        #expect(found.contains { $0.hasPrefix("17: mailings[1].domains.gmail.example: '40' is no share") })
        #expect(found.contains("18: mailings[1].domains.other.example: must be one value, such as 40%"))
        #expect(found.contains("19: mailings[2].domains: is of email: recipients of sms have no domain"))
        #expect(found.contains { $0.hasPrefix("20: mailings[3].domains: must be a mapping of domains and shares") })
    }

    @Test func settingsAreJudgedAsThoseOfAFleetAreAndWhatTheRunSetsIsRefused() throws {
        let start = "about: x\nsinks: {relay: {protocol: smtp}}\nmailings: [{name: n, channel: email, provider: relay, recipients: 1}]\n"
        #expect(
            try problems(start + "fleet:\n  settings:\n    worker: {concurency: 3}\n")
                == ["6: fleet.settings.worker.concurency: unknown key; did you mean worker.concurrency?"])
        #expect(
            try problems(start + "fleet:\n  settings:\n    ledger: {path: x}\n    providers: {other: {limit: 5/s}}\n") == [
                "6: fleet.settings.ledger: is set by the run; leave it out",
                "7: fleet.settings.providers.other: is none of the sinks: relay",
            ])
    }

    @Test func aGivenRedisIsNotEnded() throws {
        let text = Self.whole + "\n"
        #expect(
            try problems(text.replacingOccurrences(of: "role: sink:relay", with: "role: redis")).first?
                .contains("redis is not ours") == true)
    }

    @Test func anEmptyFileAndOneThatIsMissingAreTold() throws {
        #expect(try problems("\n").first?.contains("is empty; a scenario needs about, sinks and mailings") == true)
        #expect(throws: SettingsError.self) { try ScenarioFile.read("/nowhere/trial.yaml") }
    }

    @Test func recipientsAreScaledInProportion() throws {
        let scenario = try read(Self.whole)
        #expect(scenario.scaled(by: 0.01).mailings.map(\.recipients) == [10_000, 5])
        #expect(scenario.sized(largest: 2_000).mailings.map(\.recipients) == [2_000, 1])
    }

    @Test func everyScenarioThatShipsIsReadAndSaysWhatItResponses() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "loadtest/scenarios")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(
            Set(files)
                == Set(
                    [
                        "email-1m", "sms-throttled", "provider-outage", "slow-provider", "mixed-mailings", "rolling-restart",
                        "redis-loss", "scale-out", "soak",
                    ].map { $0 + ".yaml" }))
        for file in files {
            let scenario = try ScenarioFile.read(folder.appending(path: file).path)
            #expect(scenario.about.count > 20 && !scenario.expectations.isEmpty, "\(file)")
        }
    }
}
