import Foundation
import Logging
import Model
import Telemetry
import Testing
import Text
@testable import Settings

/// What settings are refused for, and in which words.
extension SettingsLoadTests {
    @Test func allThatIsWrongIsSaidAtOnceWithItsPlace() throws {
        let said = try refusal(
            """
            redis:
              url: http://redis
              pasword: hunter2
            worker:
              concurrency: many
              channels: [email, fax]
              flush: [1s]
            concurrency: 5
            log: loud
            palette: {depth: 8}
            metrics:
              listen: 9464
            """,
            [
                "FLOTILLA_LOG_LEVEL": "loud", "FLOTILLA_REDIS_URI": "redis://localhost",
                "FLOTILLA_WORKER_FLUSH": "0.5s", "FLOTILLA_NOTHING_LIKE_IT": "1",
            ])
        #expect(
            said == [
                "flotilla.yaml:2: redis.url: 'http://redis' is not allowed; allowed: redis://host[:port], "
                    + "rediss://host[:port], unix:///path; a user and password before the host",
                "flotilla.yaml:3: redis.pasword: unknown key; did you mean redis.password?",
                "flotilla.yaml:5: worker.concurrency: 'many' is not allowed; allowed: 1 to 10000",
                "flotilla.yaml:6: worker.channels: 'email, fax' is not allowed; "
                    + "allowed: at least one of email, sms, webhook, messenger",
                "flotilla.yaml:7: worker.flush: must be one value",
                "flotilla.yaml:8: concurrency: unknown key; did you mean worker.concurrency?",
                "flotilla.yaml:9: log: is a section; write below it, indented: level, format, addresses",
                "flotilla.yaml:10: palette: unknown key; allowed here: redis, ledger, planner, worker, collector, "
                    + "refusals, brake, metrics, log, email, bounces, tracker, webhooks, shutdown, providers, suppressions, channels, "
                    + "domains",
                "flotilla.yaml:12: metrics.listen: '9464' is not allowed; allowed: host:port, [IPv6]:port, or off",
                "FLOTILLA_LOG_LEVEL: log.level: 'loud' is not allowed; "
                    + "allowed: trace, debug, info, notice, warning, error, critical",
                "FLOTILLA_NOTHING_LIKE_IT: unknown variable; the configuration page lists the keys",
                "FLOTILLA_REDIS_URI: unknown variable; did you mean FLOTILLA_REDIS_URL?",
                "FLOTILLA_WORKER_FLUSH: worker.flush: '0.5s' is not allowed; allowed: 1ms to 10s, "
                    + "a whole number with ms, s, m, h or d",
            ])
    }

    @Test func providersAreCheckedToo() throws {
        let said = try refusal(
            """
            providers:
              Main: {url: 'smtp://a'}
              two: {password: x}
              three:
              four: {url: 'ftp://u:secret@h?key=secret', header: {A: b}, headers: {"A B": c, "D": "e\\nf"}}
              a-b: {url: 'smtp://a'}
              a_b: {url: 'smtp://a'}
            """, ["FLOTILLA_PROVIDERS_FIVE_TIMEOUT": "0s"])
        #expect(
            said == [
                "flotilla.yaml:2: providers.Main: a provider's name has 1 to 64 of a-z, 0-9, - and _, and starts with "
                    + "a letter or digit",
                "flotilla.yaml:5: providers.four.url: 'ftp://…@h?…' is not allowed; allowed: smtp://host[:port], "
                    + "smtps://host[:port], http(s)://host[:port][/path]; a user and password before the host",
                "flotilla.yaml:5: providers.four.header: unknown key; did you mean providers.four.headers?",
                "flotilla.yaml:5: providers.four.headers.A B: is not the name of a header field (RFC 9110, section 5.6.2)",
                "flotilla.yaml:5: providers.four.headers.D: the value (not shown) is not allowed; allowed: one line",
                "FLOTILLA_PROVIDERS_FIVE_TIMEOUT: providers.five.timeout: '0s' is not allowed; allowed: 10ms to 1h, "
                    + "a whole number with ms, s, m, h or d",
                "FLOTILLA_PROVIDERS_FIVE_TIMEOUT: providers.five.url: is missing; allowed: smtp://host[:port], "
                    + "smtps://host[:port], http(s)://host[:port][/path]; a user and password before the host",
                "flotilla.yaml:4: providers.three.url: is missing; allowed: smtp://host[:port], "
                    + "smtps://host[:port], http(s)://host[:port][/path]; a user and password before the host",
                "flotilla.yaml:3: providers.two.url: is missing; allowed: smtp://host[:port], "
                    + "smtps://host[:port], http(s)://host[:port][/path]; a user and password before the host",
                "flotilla.yaml:7: providers.a_b: has the same environment variables as providers.a-b; "
                    + "rename one",
            ])
    }

    @Test(arguments: [
        ("redis: [\n", "flotilla.yaml:2: not valid YAML: "),
        ("a: 1\nredis:\n\tprefix: x", "flotilla.yaml:3: not valid YAML: "),
        ("log: {}\nlog: {}", "flotilla.yaml:1: not valid YAML: the key log comes twice in one section"),
        ("- redis", "flotilla.yaml:1: must hold sections: redis, ledger, "),
        ("redis: {}\n---\nlog: {}", "flotilla.yaml:2: not valid YAML: "),
        ("? [a]\n: b", "flotilla.yaml:1: a key must be text"),
        ("redis: &r {prefix: a}\nledger: *r", "flotilla.yaml:1: has an anchor or alias"),
        ("redis:\n  prefix: !include /etc/passwd", "flotilla.yaml:2: has the tag '!include'"),
        ("redis:\n  prefix: !!binary aGk=", "flotilla.yaml:2: has the tag 'tag:yaml.org,2002:binary'"),
        ("redis:\n  prefix: !!python/object:os.system x", "flotilla.yaml:2: has the tag 'tag:yaml.org,2002:python/object:os.system'"),
        ("redis: *r", "flotilla.yaml:1: has an anchor or alias"),
        ("redis: {prefix: &p a}", "flotilla.yaml:1: has an anchor or alias"),
    ])
    func textThatIsNoConfigurationIsRefused(yaml: String, start: String) throws {
        let said = try refusal(yaml)
        #expect(said.count == 1)
        #expect(said.first?.hasPrefix(start) == true, "\(said)")
    }

    @Test func filesThatCannotBeReadAreRefused() throws {
        let none = #expect(throws: SettingsError.self) {
            try Settings.load(file: "none/flotilla.yaml", environment: [:])
        }
        #expect(none?.description == "none/flotilla.yaml: there is no such file")
        let folder = FileManager.default.temporaryDirectory.path()
        let error = #expect(throws: SettingsError.self) { try Settings.load(file: folder, environment: [:]) }
        #expect(error?.description == "\(folder): cannot be read; is it a file?")
    }

    @Test func noSecretIsInAnErrorOrADump() throws {
        let settings = try load(
            "redis: {url: 'redis://u:hunter2@h'}\nproviders: {a: {url: 'http://h', headers: {K: hunter2}, password: hunter2}}"
        )
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(settings)".contains("hunter2"))
        let said = try refusal(
            """
            redis: {url: 'redis:/u:hunter2@h', password: [hunter2]}
            hunter: hunter2
            providers: {a: {url: 'x://hun/ter2@h'}}
            """,
            ["FLOTILLA_REDIS_PASWORD": "hunter2", "FLOTILLA_PROVIDERS_A_HEADERS_K": "hunter2\n"])
        #expect(said.count == 6)
        #expect(!said.joined().contains("hunter2"))
        #expect(!said.joined().contains("ter2"))
    }

    @Test func addressesBySenderAreRefusedWithTheirPlace() throws {
        let said = try refusal(
            """
            tracker:
              url: https://t.example.org/x
              domains:
                example.com: ftp://t.example.com/x
                Example.net: https://t.example.net/x
                "*": https://t.example.net/x
                com: https://t.example.net/x
                shop.example: https://t.shop.example
                news.example:
                list.example: [https://t.list.example/x]
            """, [:])
        let allowed = "allowed: https://host[:port][/path], 200 bytes at most; the path of letters, digits, -, ., _, ~, /"
        let name = "is no domain of senders; write example.com, or \"*.example.com\" for all below it"
        #expect(
            said == [
                "flotilla.yaml:4: tracker.domains.example.com: 'ftp://t.example.com/x' is not allowed; \(allowed)",
                "flotilla.yaml:5: tracker.domains.Example.net: \(name)", "flotilla.yaml:6: tracker.domains.*: \(name)",
                "flotilla.yaml:7: tracker.domains.com: \(name)",
                "flotilla.yaml:9: tracker.domains.news.example: is empty; give it an address, or leave it out",
                "flotilla.yaml:10: tracker.domains.list.example: must be one value",
                "flotilla.yaml:8: tracker.domains.shop.example: has another path than tracker.url (https://t.example.org/x); only the host "
                    + "may differ",
            ])
        let alone = try refusal("tracker:\n  domains:\n    example.com: https://t.example.com\n", [:])
        #expect(
            alone == [
                "flotilla.yaml:3: tracker.domains.example.com: is for some senders, and there is no address for the others: set tracker.url"
            ])
    }
}
