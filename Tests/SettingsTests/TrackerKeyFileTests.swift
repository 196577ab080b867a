import Foundation
import Signing
import TestServers
import Testing
import Text

@testable import Settings

@Suite struct TrackerKeyFileTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("keys") }
    private let secret = String(repeating: "s", count: 32)

    init() throws { folder = try TemporaryFolder() }

    private func fault(_ text: String, rights: Int = 0o600) throws -> TrackerKeyError.Fault? {
        _ = try folder.write(text, to: "keys")
        try FileManager.default.setAttributes([.posixPermissions: rights], ofItemAtPath: path)
        do throws(TrackerKeyError) {
            _ = try TrackerKeyFile(reading: path)
            return nil
        } catch {
            #expect(!error.description.contains(secret))
            return error.fault
        }
    }

    @Test func aNewFileIsItsOwnersAloneAndMadeOnce() throws {
        #expect(try TrackerKeyFile.make(path))
        #expect(FileStatus(path: path)?.rights == 0o600)
        let made = try TrackerKeyFile(reading: path)
        #expect(made.secrets.keys.sorted() == [1])
        #expect(try !TrackerKeyFile.make(path))
        #expect(try TrackerKeyFile(reading: path).secrets == made.secrets)
    }

    @Test func anAddedKeySignsAndTheOldOneStillVerifies() throws {
        try TrackerKeyFile.make(path)
        let before = try TrackerKeyFile(reading: path)
        let subject = try #require(TokenSubject(mailing: 7, batch: 1, index: 2))
        var old: [UInt8] = []
        try before.keys().appendToken(.open, subject, to: &old)
        #expect(try before.add() == 2)
        #expect(FileStatus(path: path)?.rights == 0o600)
        let after = try TrackerKeyFile(reading: path).keys()
        var new: [UInt8] = []
        after.appendToken(.open, subject, to: &new)
        #expect(try after.verify(old, for: .open) == subject)
        #expect(try after.verify(new, for: .open) == subject)
        #expect(throws: TokenFault.unknownKey(2)) { try before.keys().verify(new, for: .open) }
    }

    @Test func onlyAFileOfUsableKeysThatOthersCannotReadIsTaken() throws {
        #expect(try fault("# keys\r\n 3 : \(secret) \n\n0:\(secret)\n") == nil)
        #expect(try fault("1: \(secret)\n", rights: 0o640) == .readable("0640"))
        #expect(try fault("1: \(secret)\n", rights: 0o604) == .readable("0604"))
        #expect(try fault("") == .bad(.empty))
        #expect(try fault("1: short\n") == .bad(.key(1, .tooShort(5))))
        #expect(try fault("32: \(secret)\n") == .bad(.number(32)))
        #expect(try fault("# x\n\(secret)\n") == .line(2))
        #expect(try fault("1: \(secret)\n1: \(secret)\n") == .twice(1))
        #expect(try fault(String(repeating: "#", count: 100_000)) == .noKeyFile)
        #expect(throws: TrackerKeyError(folder.path("none"), .missing)) { try TrackerKeyFile(reading: folder.path("none")) }
        #expect(throws: TrackerKeyError(folder.url.path, .noKeyFile)) { try TrackerKeyFile(reading: folder.url.path) }
    }

    @Test func theLastNumberHasNoNext() throws {
        #expect(try fault("31: \(secret)\n") == nil)
        #expect(throws: TrackerKeyError(path, .full)) { _ = try TrackerKeyFile(reading: path).add() }
    }

    /// One-click unsubscribing needs https (RFC 8058 section 3.1).
    @Test(arguments: [
        ("https://t.example.com", false), ("http://t.example.com", true), ("http://192.0.2.1:8080/x", true),
        ("http://localhost:9480", false),
        ("http://t.localhost", false), ("http://127.3.2.1", false), ("http://[::1]:8", false), ("http://128.0.0.1", true),
    ]) func anAddressWithoutTLSIsWarnedOf(_ url: String, _ isWarnedOf: Bool) throws {
        let settings = try Settings.load(file: nil, environment: ["FLOTILLA_TRACKER_URL": url])
        #expect(settings.warnings.count == (isWarnedOf ? 1 : 0))
        #expect(settings.warnings.allSatisfy { $0.hasPrefix("tracker.url is \(url), without TLS") })
    }

    @Test func aDomainToUnsubscribeAtIsWarnedOfWithoutATracker() throws {
        var environment = ["FLOTILLA_EMAIL_UNSUBSCRIBE_DOMAIN": "bounces.example.com"]
        let alone = try Settings.load(file: nil, environment: environment).warnings
        #expect(alone.count == 1 && alone[0].hasPrefix("email.unsubscribe_domain (bounces.example.com) has no effect without tracker.url"))
        environment["FLOTILLA_TRACKER_URL"] = "https://t.example.com"
        #expect(try Settings.load(file: nil, environment: environment).warnings == [])
    }

    @Test(arguments: [
        ("https://t.example.com", "https://t.example.com"), ("https://T.Example.com/", "https://t.example.com"),
        ("http://127.0.0.1:9467/a/b//", "http://127.0.0.1:9467/a/b"), ("https://[::1]:8", "https://[::1]:8"),
        ("ftp://t.example", nil), ("https://u:p@t.example", nil), ("https://t.example/?q", nil), ("https://t.example/a b", nil),
        ("https://", nil), ("t.example", nil), ("https://t.example/\"x", nil), ("https://t.example/%22", nil),
        ("https://t.example/" + String(repeating: "x", count: 200), nil),
    ]) func theAddressStandsAnywhereWithoutAnEscape(_ text: String, _ expected: String?) {
        #expect(SettingsTable.trackerURL.parse([text]) == expected)
    }
}
