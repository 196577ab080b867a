import Foundation
import Model
import Policy
import Testing

@testable import Settings

@Suite struct SettingsLimitTests {
    private func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
        let file = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString).yaml")
        try Data(yaml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try Settings.load(file: file.path(), environment: environment)
    }

    /// A line a problem, without the file's name.
    private func refusal(_ yaml: String, _ environment: [String: String] = [:]) -> [String] {
        let error = #expect(throws: SettingsError.self) { try load(yaml, environment) }
        return error?.problems.map { "\($0.place.split(separator: ":").last ?? ""): \($0.key): \($0.text)" } ?? []
    }

    @Test func limitsOfProvidersChannelsAndDomainsAreRead() throws {
        let limits = try load(
            """
            providers:
              main: {url: 'smtp://a.example.com', limit: 1019/min}
              free: {url: 'smtp://b.example.com'}
            channels:
              sms: {limit: "25/s, burst=5"}
              webhook: {limit: none}
            domains:
              outlook.com: {names: outlook.com  hotmail.com *.outlook.com, limit: 20/s}
              gmail.com: {limit: 50/s}
              slow.example.com:
              yahoo: {names: [yahoo.com, "*.yahoo.com"]}
            """
        ).limits
        #expect(limits.providers == ["main": try RateLimit("1019/min")])
        #expect(limits.limit("channel:sms") == (try RateLimit("25/s,burst=5")))
        #expect(limits.limit("channel:webhook") == nil && limits.limit("channel:email") == nil)
        #expect(limits.limit("channel:messenger") == (try RateLimit("25/s")))
        #expect(
            limits.domains == [
                DomainLimit(name: "gmail.com", limit: try RateLimit("50/s")),
                DomainLimit(
                    name: "outlook.com", names: ["outlook.com", "hotmail.com", "*.outlook.com"], limit: try RateLimit("20/s")),
                DomainLimit(name: "slow.example.com"),
                DomainLimit(name: "yahoo", names: ["yahoo.com", "*.yahoo.com"]),
            ])
    }

    @Test func theEnvironmentSetsTheLimitsOfWhatTheFileNames() throws {
        let limits = try load(
            "domains: {outlook.com: , eu_1: {names: [a.example.com], limit: 1/s}}\nproviders: {main: {url: 'smtp://a', limit: 5/s}}",
            [
                "FLOTILLA_DOMAINS_OUTLOOK_COM_LIMIT": "3/s", "FLOTILLA_DOMAINS_OUTLOOK_COM_NAMES": "outlook.com, live.com",
                "FLOTILLA_DOMAINS_EU_1_LIMIT": "none", "FLOTILLA_PROVIDERS_MAIN_LIMIT": "6/s",
                "FLOTILLA_CHANNELS_EMAIL_LIMIT": "100/s",
            ]
        ).limits
        #expect(limits.limit("domain:outlook.com") == (try RateLimit("3/s")))
        #expect(limits.domains.map(\.names) == [["a.example.com"], ["outlook.com", "live.com"]])
        #expect(limits.limit("domain:eu_1") == nil)
        #expect(limits.limit("provider:main") == (try RateLimit("6/s")))
        #expect(limits.limit("channel:email") == (try RateLimit("100/s")))
    }

    @Test func aCeilingByDefaultIsLiftedByNone() throws {
        #expect(try load("channels: {messenger: {limit: none}}").limits.limit("channel:messenger") == nil)
        #expect(try load("channels: {messenger: {limit: 90/s}}").limits.limit("channel:messenger")?.description == "90/s")
    }

    @Test func whatIsNotAllowedIsSaidWithItsPlace() {
        let limit = "is not allowed; allowed: 500/s, 6000/min,burst=50 (units s, min, h, d), or none"
        let names = "is not allowed; allowed: domains in small letters, each example.com, or *.example.com for all below it"
        #expect(
            refusal(
                """
                channels:
                  email: {limit: 5}
                  fax: {limit: 5/s}
                domains:
                  Gmail.com: {limit: 5/s}
                  gmail.com: {limit: quick, name: x}
                  microsoft: {limit: 5/s}
                  many: {names: [Outlook.com]}
                  few: {names: ["*.com", "*example.com"]}
                  none: {names: ''}
                  one.example.com: {names: [two.example.com, gmail.com, gmail.com]}
                  two-example.com: {names: three.example.com}
                  two.example.com:
                """,
                ["FLOTILLA_DOMAINS_YAHOO_COM_LIMIT": "5/s", "FLOTILLA_DOMAINS_MICROSOFT_LIMIT": "0/s"]) == [
                    "2: channels.email.limit: '5' \(limit)",
                    "3: channels.fax: unknown key; allowed here: email, sms, webhook, messenger",
                    "5: domains.Gmail.com: a name below domains has 1 to 253 of a-z, 0-9, -, _ and ., and starts with a letter or digit",
                    "6: domains.gmail.com.limit: 'quick' \(limit)",
                    "6: domains.gmail.com.name: unknown key; did you mean domains.gmail.com.names?",
                    "8: domains.many.names: 'Outlook.com' \(names)",
                    "9: domains.few.names: '*.com, *example.com' \(names)",
                    "10: domains.none.names: '' \(names)",
                    "FLOTILLA_DOMAINS_MICROSOFT_LIMIT: domains.microsoft.limit: '0/s' \(limit)",
                    "FLOTILLA_DOMAINS_YAHOO_COM_LIMIT: : unknown variable; did you mean FLOTILLA_DOMAINS_<NAME>_LIMIT?",
                    "13: domains.two.example.com: has the same environment variables as domains.two-example.com; "
                        + "rename one",
                    "7: domains.microsoft.names: is missing: 'microsoft' is not a domain of e-mail addresses; name its domains",
                    "11: domains.one.example.com.names: 'gmail.com' belongs to domains.gmail.com already",
                    "13: domains.two.example.com.names: 'two.example.com' belongs to domains.one.example.com already",
                ])
    }
}

extension Limits {
    /// The limit of a scope by its text.
    func limit(_ scope: String) -> RateLimit? { LimitScope(scope).flatMap(limit) }
}
