import Foundation
import Policy
import Sink
import Testing

@testable import Settings

@Suite struct SinkProfileFileTests {
    /// What a file called `p.yaml` holds, or what is said of it.
    private func read(_ yaml: String) throws -> (profile: SinkProfile?, problems: [String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-profile-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "p.yaml")
        try Data(yaml.utf8).write(to: file)
        do {
            return (try SinkProfileFile.read(file.path()), [])
        } catch {
            return (
                nil,
                error.problems.map { $0.description.replacing(folder.path(), with: "").drop { $0 == "/" } }.map(
                    String.init)
            )
        }
    }

    @Test func aWholeProfileIsRead() throws {
        let (profile, problems) = try read(
            """
            about: "A gateway"
            protocol: http
            latency: {p50: 120ms, p99: 900ms}
            connections: 20
            messages_per_connection: 100
            limit: {rate: 100/s, burst: 20, code: 429, retry_after: 1s, text: slow down}
            fail: "410=0.01,503=0.02"
            sources:
              - {figure: latency, says: "not published; chosen", url: none}
              - {figure: limit, says: "100 a second", url: "https://example.com/limits", seen: 2026-11-22}
            """)
        #expect(problems == [])
        let found = try #require(profile)
        #expect(found.about == "A gateway" && found.proto == .http)
        #expect(found.latency == SinkLatency(p50: 120_000_000, p99: 900_000_000))
        #expect(found.connections == 20 && found.messagesPerConnection == 100)
        #expect(found.limit == (try SinkLimit(parsing: "100/s,burst=20;code=429;retry-after=1s;text=slow down")))
        #expect(found.failures == (try FailureProfile(parsing: "410=0.01,503=0.02")))
        #expect(found.sources.map(\.url) == [nil, "https://example.com/limits"])
        #expect(found.unsourced == ["connections", "messages_per_connection", "fail"])
        var configuration = SinkConfiguration(listeners: [])
        configuration.apply(found)
        #expect(configuration.maxConnections == 20 && configuration.messagesPerConnection == 100)
        #expect(configuration.limit == found.limit && configuration.failures == found.failures)
        #expect(configuration.latency == found.latency)
    }

    @Test(arguments: [
        ("", "p.yaml: is empty"), ("- a", "p.yaml:1: must be a mapping"),
        ("about: x", "p.yaml:1: protocol: is missing; allowed: smtp, http"),
        ("protocol: ftp", "p.yaml:1: protocol: 'ftp' is not allowed; allowed: smtp, http"),
        ("protocol: smtp\nlatancy: 1s", "p.yaml:2: latancy: unknown key; did you mean latency?"),
        ("protocol: smtp\ncolour: red", "p.yaml:2: colour: unknown key; allowed here: about, protocol"),
        ("protocol: smtp\nlatency: soon", "p.yaml:2: latency: 'soon' is no latency"),
        ("protocol: smtp\nlatency: {p50: 1s}", "p.yaml:2: latency: needs p50 and p99"),
        ("protocol: smtp\nlatency:\n  p50: 1s\n  p99: 1h", "p.yaml:4: latency.p99: is no time"),
        ("protocol: smtp\nlatency: {p50: 2s, p99: 1s}", "p.yaml:2: latency: p50 has to be above 0"),
        ("protocol: smtp\nlatency: {p50: 1s, p99: 2s, p999: 3s}", "p.yaml:2: latency.p999: unknown key"),
        ("protocol: smtp\nconnections: many", "p.yaml:2: connections: must be a whole number"),
        ("protocol: smtp\nmessages_per_connection: -1", "p.yaml:2: messages_per_connection: must be a whole number"),
        ("protocol: smtp\nlimit: 100/s", "p.yaml:2: limit: must be a mapping such as"),
        ("protocol: smtp\nlimit: {burst: 3}", "p.yaml:2: limit: needs a rate"),
        ("protocol: smtp\nlimit:\n  rate: 100", "p.yaml:3: limit.rate: '100' is no rate limit"),
        ("protocol: smtp\nlimit: {rate: 1/s, burst: 0}", "p.yaml:2: limit.rate: '1/s,burst=0' is no rate limit"),
        ("protocol: smtp\nlimit: {rate: 1/s, code: 250}", "p.yaml:2: limit: 250 is no refusal"),
        ("protocol: smtp\nlimit: {rate: 1/s, code: x}", "p.yaml:2: limit.code: 'x' is no code"),
        ("protocol: smtp\nlimit: {rate: 1/s, retry_after: 1s}", "p.yaml:2: limit: Retry-After belongs to HTTP"),
        (
            "protocol: http\nlimit: {rate: 1/s, status: 4.7.0}",
            "p.yaml:2: limit: an enhanced status code belongs to SMTP"
        ),
        ("protocol: smtp\nlimit: {rate: 1/s, status: 4.7}", "p.yaml:2: limit.status: '4.7' is no enhanced status code"),
        ("protocol: smtp\nlimit: {rate: 1/s, text: \"a\\nb\"}", "p.yaml:2: limit.text: a text has up to 400"),
        ("protocol: smtp\nlimit: {rate: 1/s, pause: 1s}", "p.yaml:2: limit.pause: unknown key"),
        ("protocol: smtp\nfail: 550", "p.yaml:2: fail: '550' is no rule"),
        ("protocol: smtp\nfail: 503=0.1", "p.yaml:2: fail: 503 goes to the other protocol than smtp"),
        ("protocol: http\nfail: 550=0.1", "p.yaml:2: fail: 550 goes to the other protocol than http"),
        ("protocol: smtp\nfail: [550=0.1]", "p.yaml:2: fail: must be one value"),
        ("protocol: smtp\nsources: none", "p.yaml:2: sources: must be a list"),
        ("protocol: smtp\nsources:\n  - {figure: fail}", "p.yaml:3: sources: each needs a figure"),
        (
            "protocol: smtp\nfail: 550=0.1\nsources:\n  - {figure: latency, says: x, url: none}",
            "p.yaml:4: sources.figure: 'latency' is no figure of this profile; it has fail"
        ),
        (
            "protocol: smtp\nfail: 550=0.1\nsources:\n  - {figure: fail, says: x, url: example.com}",
            "p.yaml:4: sources.url: is none that begins with https://"
        ),
        (
            "protocol: smtp\nfail: 550=0.1\nsources:\n  - {figure: fail, says: x, url: \"https://example.com\"}",
            "p.yaml:4: sources.seen: must be the day"
        ),
    ])
    func wrongProfilesAreRefusedWithTheirLine(yaml: String, problem: String) throws {
        let (profile, problems) = try read(yaml)
        #expect(profile == nil)
        #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
    }

    @Test func allThatIsWrongIsSaidAtOnce() throws {
        let (_, problems) = try read("protocol: smtp\nlatency: x\nconnections: x\nfail: x\nfoo: 1")
        #expect(problems.count == 4)
    }

    @Test func aSectionOfALargerFileGoesOverAProfile() throws {
        let base = try #require(
            try read("protocol: http\nlatency: 5s\nconnections: 7\nlimit: {rate: 9/s}").profile)
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-section-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("profile: x\nlatency: 1ms\nlimit: none\nspeed: 3".utf8).write(to: folder)
        var file = YAMLFile(name: folder.path())
        let read = file.read()
        let found = file.sinkProfile(try #require(read), over: base, beside: ["profile"])
        let profile = try #require(found)
        #expect(profile.latency == (try SinkLatency(parsing: "1ms")) && profile.connections == 7)
        #expect(profile.limit == nil)
        #expect(file.problems.map(\.key) == ["speed"])
    }

    /// The profiles that ship, beside this package's sources.
    private static let shipped = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "loadtest/profiles")

    @Test func everyFigureOfAShippedProfileHasASource() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.shipped.path()).sorted()
        let profiles = files.filter { $0.hasSuffix(".yaml") }
        #expect(profiles.count >= 5)
        let readme = try String(contentsOf: Self.shipped.appending(path: "README.md"), encoding: .utf8)
        for name in profiles {
            let profile = try SinkProfileFile.read(Self.shipped.appending(path: name).path())
            #expect(profile.unsourced == [], "\(name)")
            #expect(!profile.about.isEmpty && !profile.figures.isEmpty, "\(name)")
            #expect(profile.latency != nil && profile.limit != nil && profile.failures != nil, "\(name)")
            for source in profile.sources where source.url == nil {
                #expect(source.says.contains("chosen"), "\(name): \(source.figure)")
            }
            #expect(readme.contains("`\(name)`"), "README.md does not tell of \(name)")
        }
    }
}
