import Foundation
import TestServers
import Testing
import Text

@testable import Model
@testable import Transport

/// The transport against aiosmtpd, which shows each message as it understood it, and against servers that misbehave.
@Suite struct SMTPServerTests {
    let folder: TemporaryFolder
    let certificate: String
    let key: String

    init() throws {
        folder = try TemporaryFolder()
        (certificate, key) = try SMTPTestServer.certificate(in: folder)
    }

    func aiosmtpd(_ arguments: String...) async throws -> SMTPTestServer {
        var all = arguments
        if arguments.contains(where: { $0.hasPrefix("tls=") }) { all += ["cert=\(certificate)", "key=\(key)"] }
        return try await SMTPTestServer.python("aiosmtpd", all)
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func requiredSTARTTLSChecksTheCertificate(_ host: String) async throws {
        let server = try await aiosmtpd("tls=required")
        let good = server.provider {
            $0.host = host
            $0.startTLS = .required
            $0.caFile = certificate
        }
        let responses = try await withTransport(good) { await $0.deliver(.numbered(3)) { true } }
        #expect(responses.map { $0?.action } == [.accept, .accept, .accept])
        #expect(responses[0]?.messageID.hasPrefix("PY") == true)
        let taken = try server.taken
        #expect(taken.map { $0["tls"] } == ["True", "True", "True"])
        #expect(taken.map { $0["recipient"] } == (0..<3).map { "user\($0)@example.com" })
        #expect(taken[1]["content"] == "Subject: 1\r\n\r\n.dot\r\nbye 1\r\n")
        #expect(taken[0]["helo"] == "client.example.com")

        // The same server without its authority is refused, and nothing is sent.
        let bad = server.provider {
            $0.host = host
            $0.startTLS = .required
        }
        let refused = try await withTransport(bad) { await $0.deliver(.numbered(2)) { true } }
        for response in refused { #expect(response?.action == .pauseMailing && response?.stage == .tls) }
        #expect(try server.taken.count == 3)
    }

    @Test func opportunisticSTARTTLSDoesNotAskForACertificate() async throws {
        let server = try await aiosmtpd("tls=offered")
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(1)) { true } }
        #expect(responses[0]?.action == .accept)
        #expect(try server.taken.map { $0["tls"] } == ["True"])
    }

    /// A password is shown to nobody who has not proved who he is; what the URL calls him proves nothing.
    @Test func withASecretOpportunisticTLSAsksForACertificate() async throws {
        let server = try await aiosmtpd("tls=offered", "auth=plain")
        let changes: [(inout Provider) -> Void] = [
            // The address is no loopback's, though the server is on this machine.
            { $0.host = "::ffff:127.0.0.1" },
            { $0.caFile = try? self.folder.write(Self.otherAuthority(self.folder), to: "other.pem") },
        ]
        for change in changes {
            let provider = server.provider {
                $0.username = "user"
                $0.password = Secret("pass word")
                change(&$0)
            }
            let error = await #expect(throws: TransportError.self) {
                try await withTransport(provider) { try await $0.prepare() }
            }
            #expect(error?.action == .pauseMailing && error?.stage == .tls && error?.description.contains("not trusted") == true)
        }
        // To this machine the password may go in clear, and so inside TLS that proves nothing.
        let near = server.provider {
            $0.username = "user"
            $0.password = Secret("pass word")
        }
        #expect(try await withTransport(near) { await $0.deliver(.numbered(1)) { true } }[0]?.action == .accept)
        #expect(try server.taken.count == 1)
    }

    static func otherAuthority(_ folder: TemporaryFolder) throws -> String {
        let other = try TemporaryFolder()
        return try String(contentsOfFile: SMTPTestServer.certificate(in: other).certificate, encoding: .utf8)
    }

    @Test func aPasswordInClearNeedsAPeerOnThisMachine() async throws {
        let server = try await aiosmtpd("auth=plain")
        let provider = server.provider {
            $0.host = "::ffff:127.0.0.1"
            $0.username = "user"
            $0.password = Secret("pass word")
        }
        let error = await #expect(throws: TransportError.self) { try await withTransport(provider) { try await $0.prepare() } }
        #expect(error?.action == .pauseMailing && error?.description.contains("not encrypted") == true)
    }

    @Test(arguments: ["TLSv1", "TLSv1_1"])
    func oldVersionsOfTLSAreRefused(_ version: String) async throws {
        let implicit = try await aiosmtpd("tls=implicit", "tlsmax=\(version)")
        let provider = implicit.provider {
            $0.scheme = .smtps
            $0.caFile = certificate
        }
        let error = await #expect(throws: TransportError.self) { try await withTransport(provider) { try await $0.prepare() } }
        #expect(error?.stage == .tls && error?.description.contains("TLS 1.2") == true, "\(String(describing: error))")
        // Where nothing is to be kept secret, no encryption is as good as a broken one.
        let offered = try await aiosmtpd("tls=offered", "tlsmax=\(version)")
        #expect(try await withTransport(offered.provider()) { await $0.deliver(.numbered(1)) { true } }[0]?.action == .accept)
        #expect(try offered.taken.map { $0["tls"] } == ["False"])
    }

    @Test(arguments: ["close", "garbage"])
    func aHandshakeThatFailsIsFollowedByMessagesInClearUnlessThereIsASecret(_ end: String) async throws {
        let server = try await SMTPTestServer.python("badtls", ["end=\(end)"])
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(3)) { true } }
        #expect(responses.map { $0?.action } == [.accept, .accept, .accept])
        let changes: [(inout Provider) -> Void] = [
            { $0.startTLS = .required }, { $0.caFile = certificate }, { ($0.username, $0.password) = ("user", Secret("word")) },
        ]
        for change in changes {
            let error = await #expect(throws: TransportError.self) {
                try await withTransport(server.provider(change)) { try await $0.prepare() }
            }
            #expect(error?.stage == .tls && error?.description.contains("starttls: never") == true)
        }
        #expect(try server.taken.count == 3)
    }

    @Test func certificateErrorsSayWhich() async throws {
        let authority = try SMTPTestServer.authority(in: folder)
        let cases: [(names: String, days: Int, authority: String?, words: String)] = [
            ("DNS:localhost", -1, authority, "has expired on 20"),
            ("DNS:other.example", 2, authority, "is for another name than localhost"),
            ("DNS:localhost", 2, nil, "is not trusted"),
        ]
        for (names, days, trusted, words) in cases {
            let (certificate, key) = try SMTPTestServer.certificate(names, days: days, signedIn: folder)
            let server = try await SMTPTestServer.python("aiosmtpd", ["tls=implicit", "cert=\(certificate)", "key=\(key)"])
            let provider = server.provider {
                $0.scheme = .smtps
                $0.host = "localhost"
                $0.caFile = trusted
            }
            let error = await #expect(throws: TransportError.self) { try await withTransport(provider) { try await $0.prepare() } }
            #expect(error?.action == .pauseMailing && error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    @Test func implicitTLSChecksTheCertificate() async throws {
        let server = try await aiosmtpd("tls=implicit")
        let good = server.provider {
            $0.scheme = .smtps
            $0.caFile = certificate
        }
        #expect(
            try await withTransport(good) { await $0.deliver(.numbered(2)) { true } }.allSatisfy {
                $0?.action == .accept
            })
        #expect(try server.taken.count == 2)
        var bad = good
        bad.caFile = nil
        do {
            _ = try await withTransport(bad) { try await $0.prepare() }
            Issue.record("an unknown authority is refused")
        } catch let error as TransportError {
            #expect(error.action == .pauseMailing && error.stage == .tls)
            #expect(error.description.contains("certificate"))
        }
    }

    @Test func aServerWithoutTLSIsNamedSo() async throws {
        let server = try await aiosmtpd()
        for change: (inout Provider) -> Void in [{ $0.startTLS = .required }, { $0.scheme = .smtps }] {
            do {
                _ = try await withTransport(server.provider(change)) { try await $0.prepare() }
                Issue.record("it has no TLS")
            } catch let error as TransportError {
                #expect(error.stage == .tls)
            }
        }
    }

    @Test(arguments: ["plain", "login"])
    func credentialsAreProvedInsideTLS(_ mechanism: String) async throws {
        let server = try await aiosmtpd("tls=required", "auth=\(mechanism)")
        var provider = server.provider {
            $0.username = "user"
            $0.password = Secret("pass word")
        }
        let responses = try await withTransport(provider) { await $0.deliver(.numbered(1)) { true } }
        #expect(responses[0]?.action == .accept)
        #expect(try server.taken.map { $0["user"] } == ["user"])
        provider.password = Secret("wrong")
        do {
            _ = try await withTransport(provider) { try await $0.prepare() }
            Issue.record("the password is wrong")
        } catch let error as TransportError {
            #expect(error.action == .pauseMailing && error.stage == .auth)
            #expect(error.description.contains("user name and password") && !error.description.contains("wrong"))
        }
    }

    @Test func withoutCredentialsAServerThatWantsThemIsMisconfigured() async throws {
        let server = try await aiosmtpd("tls=required", "auth=plain")
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(2)) { true } }
        for response in responses { #expect(response?.action == .pauseMailing && response?.code == 530) }
    }

    @Test(arguments: ["yes", "no"])
    func addressesBeyondASCIIGoWhereTheyAreTaken(_ utf8: String) async throws {
        let server = try await aiosmtpd("utf8=\(utf8)")
        var group = MessageGroup.numbered(2) { "Subject: \($0)\r\n\r\ngrüße\r\n" }
        group.messages[0].recipient = "用户@例え.jp"
        let responses = try await withTransport(server.provider()) { await $0.deliver(group) { true } }
        #expect(responses.map { $0?.action } == [utf8 == "yes" ? .accept : .fail, .accept])
        let taken = try server.taken
        #expect(taken.map { $0["recipient"] } == (utf8 == "yes" ? ["用户@例え.jp"] : []) + ["user1@example.com"])
        #expect(taken.last?["content"] == "Subject: 1\r\n\r\ngrüße\r\n")
        #expect(taken.last?["options"]?.contains("BODY=8BITMIME") == true)
    }

    /// A name that stands for several servers: each message goes over a connection that can carry it, whichever comes first.
    @Test(arguments: ["2", "3", "6"])
    func whereSomeConnectionsOnlyOfferSMTPUTF8AllArriveOnce(_ which: String) async throws {
        let server = try await aiosmtpd("utf8=\(which)")
        var group = MessageGroup.numbered(40) { "Subject: \($0)\r\n\r\nhello\r\n" }
        for index in stride(from: 0, to: 40, by: 4) { group.messages[index].recipient = "用户\(index)@例え.jp" }
        let responses = try await withTransport(server.provider { $0.connections = 3 }) { [group] transport in
            await withTaskGroup(of: [ProviderResponse?].self) { tasks in
                for part in stride(from: 0, to: 40, by: 10) {
                    var some = group
                    some.messages = Array(group.messages[part..<part + 10])
                    tasks.addTask { [some] in await transport.deliver(some) { true } }
                }
                return await tasks.reduce(into: []) { $0 += $1 }
            }
        }
        #expect(responses.count == 40 && responses.allSatisfy { $0?.action == .accept })
        let taken = try server.taken.compactMap { $0["recipient"] }
        #expect(taken.count == 40 && Set(taken) == Set(group.messages.map(\.recipient)))
    }
}
