import Foundation
import Logging
import Model
import Policy
import Telemetry
import Signing
import Testing
import Text

@testable import Settings

@Suite struct SettingsLoadTests {
    /// Loads a file of this text; errors name it `flotilla.yaml`.
    func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "flotilla.yaml")
        try Data(yaml.utf8).write(to: file)
        do {
            return try Settings.load(file: file.path(), environment: environment)
        } catch {
            let problems = error.problems.map {
                SettingsError.Problem(
                    place: $0.place.replacing(folder.path(), with: "").replacing("/flotilla", with: "flotilla"),
                    key: $0.key, text: $0.text)
            }
            throw SettingsError(problems: problems)
        }
    }

    /// What is said of a configuration that is refused, a line a problem.
    func refusal(_ yaml: String, _ environment: [String: String] = [:]) throws -> [String] {
        let error = #expect(throws: SettingsError.self) { try load(yaml, environment) }
        return error?.problems.map(\.description) ?? []
    }

    @Test func theReturnPathIsADomainOrAnAddress() throws {
        let settings = try load("email: {return_path: bounces.example.com}\nbounces: {listen: off, maildir: /m, done: /d}")
        #expect(settings.email.returnPath?.address == "bounces@bounces.example.com" && settings.bounces.listen == nil)
        #expect((settings.bounces.maildir, settings.bounces.done) == ("/m", "/d"))
        #expect(try load("email: {return_path: back@example.com}").email.returnPath?.address == "back@example.com")
        #expect(try refusal("email: {return_path: a b}").count == 1)
    }

    @Test func withoutFileAndEnvironmentTheDefaultsHold() throws {
        #expect(try load("") == Settings())
        #expect(
            try load("# nothing\nredis:\nworker:\n  group:\nproviders: ~\n", ["HOME": "/", "FLOTILLA_REDIS_URL": ""])
                == Settings())
    }

    @Test func everyDefaultOfTheTableIsTheDefaultOfTheStruct() throws {
        for key in SettingsTable.keys where !key.components.contains("*") {
            guard let text = key.form.defaultText else { continue }
            #expect(try load("", [key.variable: text]) == Settings(), "\(key.name)")
        }
        let plain = try load("providers: {main: {url: 'smtp://mail.example.com'}}")
        for key in SettingsTable.keys where key.components.contains("*") {
            guard let text = key.form.defaultText else { continue }
            let variable = key.variable.replacing("<NAME>", with: "MAIN")
            #expect(try load("providers: {main: {url: 'smtp://mail.example.com'}}", [variable: text]) == plain)
        }
    }

    @Test func deprecatedKeysAreReadWithOneWarningThatNamesTheNewOne() throws {
        let fromFile = try load("worker:\n  poison: 7\n")
        #expect(fromFile.worker.maxDeliveries == 7)
        #expect(fromFile.warnings.count == 1)
        #expect(fromFile.warnings.first?.hasSuffix("flotilla.yaml:2: worker.poison is deprecated; write worker.max_deliveries") == true)
        let fromEnvironment = try load("", ["FLOTILLA_WORKER_POISON": "8"])
        #expect(fromEnvironment.worker.maxDeliveries == 8)
        #expect(
            fromEnvironment.warnings == [
                "FLOTILLA_WORKER_POISON: the variable is deprecated; write FLOTILLA_WORKER_MAX_DELIVERIES"
            ])
        // The environment wins over the file, whatever the names.
        let both = try load("worker: {max_deliveries: 7}", ["FLOTILLA_WORKER_POISON": "8"])
        #expect(both.worker.maxDeliveries == 8)
        #expect(try load("worker: {max_deliveries: 7}").warnings == [])
    }

    /// As the pages name a setting, it may stand in the file.
    @Test func aKeyMayBeWrittenWithDotsBesideItsSection() throws {
        let settings = try load(
            "ledger.keep: 400d\nledger:\n  path: shop.sqlite\nchannels.sms.limit: 5/s\nworker.channels: [sms]\nworker.poison: 7\n")
        #expect(settings.ledger.keep == .seconds(400 * 86_400) && settings.ledger.place == .file(path: "shop.sqlite"))
        #expect(settings.worker.channels == [.sms] && settings.worker.maxDeliveries == 7 && settings.warnings.count == 1)
        #expect(try load("ledger.keep:\n") == Settings())
        // What looks like one and is the name of an entry stays one.
        #expect(try load("domains:\n  ledger.keep: {limit: 5/s}\n").limits.domains.map(\.name) == ["ledger.keep"])
    }

    @Test(arguments: [
        ("ledger.kep: 400d", "ledger.kep: unknown key; did you mean ledger.keep?"),
        ("ledger.keep: soon", "ledger.keep: 'soon' is not allowed"),
        ("providers.main.url: smtp://x.example", "unknown key; write it in sections: providers: {main: {url: …}}"),
        ("ledger.keep: {a: 1}", "ledger.keep: must be one value"), ("ledger.: 1", "unknown key"), (".: 1", "unknown key"),
        ("\"...\": 1", "unknown key"), ("ledger: {ledger.keep: 1d}", "unknown key"),
    ])
    func aMistypedKeyWithDotsIsRefused(yaml: String, part: String) throws {
        let problems = try refusal(yaml)
        #expect(problems.count == 1 && problems[0].contains(part), "\(problems)")
    }

    /// The pages name settings as `section.key: value`; each of these is a line of a settings file that works.
    @Test func whatThePagesSayToWriteIsTaken() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let sections = Set(SettingsTable.keys.map { $0.components[0] })
        var count = 0
        for page in try FileManager.default.contentsOfDirectory(at: root.appending(path: "docs"), includingPropertiesForKeys: nil)
        where page.pathExtension == "md" {
            let text = try String(contentsOf: page, encoding: .utf8)
            for match in text.matches(of: #/`(([a-z_]+)\.[a-z_.]+: [^`\n]+)`/#) where sections.contains(String(match.2)) {
                count += 1
                #expect(throws: Never.self, "\(page.lastPathComponent): \(match.1)") { try load("\(match.1)\n") }
            }
        }
        #expect(count > 5)
    }

    @Test func aKeyWithItsOldAndItsNewNameIsRefused() throws {
        let twice = "is set twice, perhaps in its section and with dots, or by a deprecated name"
        #expect(try refusal("worker: {poison: 7, max_deliveries: 7}") == ["flotilla.yaml:1: worker.max_deliveries: \(twice)"])
        #expect(try refusal("worker.group: 7\nworker: {group: 7}") == ["flotilla.yaml:2: worker.group: \(twice)"])
        #expect(
            try refusal("", ["FLOTILLA_WORKER_POISON": "0"]).first?.hasPrefix("FLOTILLA_WORKER_POISON: worker.max_deliveries: '0'") == true)
    }

    @Test func aFileSetsEverything() throws {
        let settings = try load(
            """
            redis:
              url: rediss://ada:s3cret@redis.example.com
              prefix: shop
              ca_file: redis.pem
              timeout: 1500ms
            ledger: {path: shop.sqlite}
            planner: {window: 8, poll: 1s}
            worker:
              concurrency: 4
              group: 10
              channels: [email, webhook]
              flush: 10ms
            collector: {partitions: 8, batch: 50}
            metrics: {listen: "[::1]:0"}
            log: {level: debug, format: json}
            email: {hostname: mail.example.com}
            shutdown: {grace: 2m}
            """)
        #expect(settings.redis.endpoint == .tcp(host: "redis.example.com", port: 6_379, tls: true))
        #expect(settings.redis.username == "ada")
        #expect(settings.redis.password == Secret("s3cret"))
        #expect(settings.redis.prefix == "shop")
        #expect(settings.redis.caFile == "redis.pem")
        #expect(settings.redis.timeout == .milliseconds(1_500))
        #expect(settings.ledger.place == .file(path: "shop.sqlite"))
        #expect(settings.planner.window == 8)
        #expect(settings.planner.poll == .seconds(1))
        #expect(settings.worker.concurrency == 4)
        #expect(settings.worker.group == 10)
        #expect(settings.worker.channels == [.email, .webhook])
        #expect(settings.worker.flush == .milliseconds(10))
        #expect(settings.collector.partitions == 8)
        #expect(settings.collector.batch == 50)
        #expect(settings.metrics.listen == ListenAddress(host: "::1", port: 0))
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
        #expect(settings.email.hostname == "mail.example.com")
        #expect(settings.shutdown.grace == .seconds(120))
    }

    @Test func aFileSetsProviders() throws {
        let settings = try load(
            """
            providers:
              main:
                url: smtp://relay:pa%24s@mail.example.com:2525
                connections: 5
                connect_timeout: 3s
                timeout: 2m
                starttls: required
                ca_file: ca.pem
              gate-way_2:
                url: https://sms.example.com/send?v=1
                username: 007
                password: "p:w"
                headers: {X-Api-Key: "k e y"}
                body: '{"to": "{{address}}"}'
                content_type: text/plain
                message_id: messages.0.id
            """)
        #expect(
            settings.providers["main"]
                == Provider(name: "main", scheme: .smtp, host: "mail.example.com", port: 2_525).with {
                    $0.username = "relay"
                    $0.password = Secret("pa$s")
                    $0.startTLS = .required
                    $0.caFile = "ca.pem"
                    $0.connections = 5
                    $0.connectTimeout = .seconds(3)
                    $0.timeout = .seconds(120)
                })
        #expect(
            settings.providers["gate-way_2"]
                == Provider(name: "gate-way_2", scheme: .https, host: "sms.example.com", port: 443, path: "/send?v=1").with {
                    $0.username = "007"
                    $0.password = Secret("p:w")
                    $0.headers = ["X-Api-Key": Secret("k e y")]
                    $0.body = #"{"to": "{{address}}"}"#
                    $0.contentType = "text/plain"
                    $0.messageID = "messages.0.id"
                })
        #expect(settings.providers.count == 2)
    }

    @Test func theEnvironmentWinsOverTheFile() throws {
        let settings = try load(
            """
            redis: {url: 'unix:///run/redis.sock', timeout: 1s}
            worker: {channels: [sms]}
            providers: {my-relay: {url: 'https://a.example.com/', timeout: 5s, headers: {X-Api-Key: one, X-Other: two}}}
            """,
            [
                "FLOTILLA_REDIS_TIMEOUT": "2s", "FLOTILLA_WORKER_CHANNELS": "email, webhook,email",
                "FLOTILLA_METRICS_LISTEN": "off", "FLOTILLA_PROVIDERS_MY_RELAY_CONNECT_TIMEOUT": "7s",
                "FLOTILLA_PROVIDERS_MY_RELAY_PASSWORD": "word",
                "FLOTILLA_PROVIDERS_MY_RELAY_HEADERS_X_API_KEY": "three",
                "FLOTILLA_PROVIDERS_MY_RELAY_HEADERS_X_NEW": "four",
                "FLOTILLA_PROVIDERS_THE_OTHER_URL": "smtps://b.example.com",
                "FLOTILLA_PROVIDERS_THE_OTHER_CONNECT_TIMEOUT": "8s",
            ])
        #expect(settings.redis.endpoint == .unix("/run/redis.sock"))
        #expect(settings.redis.timeout == .seconds(2))
        #expect(settings.worker.channels == [.email, .webhook])
        #expect(settings.metrics.listen == nil)
        let relay = try #require(settings.providers["my-relay"])
        #expect(relay.connectTimeout == .seconds(7))
        #expect(relay.timeout == .seconds(5))
        #expect(relay.password == Secret("word"))
        #expect(relay.headers == ["X-Api-Key": Secret("three"), "X-Other": Secret("two"), "x-new": Secret("four")])
        #expect(settings.providers["the_other"]?.port == 465)
        #expect(settings.providers["the_other"]?.connectTimeout == .seconds(8))
        #expect(settings.providers.count == 2)
    }
}
