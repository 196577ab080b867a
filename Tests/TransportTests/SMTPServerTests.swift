import Foundation
import TestServers
import Testing
import Text

@testable import Model
@testable import Transport

/// The transport against aiosmtpd, which shows each message as it understood it, and against servers that misbehave.
@Suite struct SMTPServerTests {
    private let folder: TemporaryFolder
    private let certificate: String
    private let key: String

    init() throws {
        folder = try TemporaryFolder()
        (certificate, key) = try SMTPTestServer.certificate(in: folder)
    }

    private func aiosmtpd(_ arguments: String...) async throws -> SMTPTestServer {
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
            #expect(error.kind == .pauseMailing && error.stage == .tls)
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
            #expect(error.kind == .pauseMailing && error.stage == .auth)
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

    @Test func aTooLargeMessageIsRejectedAlone() async throws {
        let server = try await aiosmtpd("size=1000")
        let group = MessageGroup.numbered(3) { $0 == 1 ? String(repeating: "long line\r\n", count: 200) : "short\r\n" }
        let responses = try await withTransport(server.provider()) { await $0.deliver(group) { true } }
        #expect(responses.map { $0?.action } == [.accept, .fail, .accept])
    }

    @Test func aLargeMessageArrivesWhole() async throws {
        let server = try await aiosmtpd("tls=offered")
        let text = String(repeating: "0123456789abcdefghijklmnopqrstuvwxyz\r\n", count: 100_000)
        let group = MessageGroup.numbered(2) { $0 == 0 ? text : "short\r\n" }
        let responses = try await withTransport(server.provider()) { await $0.deliver(group) { true } }
        #expect(responses.map { $0?.action } == [.accept, .accept])
        #expect(try server.taken.first?["content"] == text)
    }

    @Test(arguments: ["421 4.7.0 too many messages on this connection", ""])
    func aServerThatTakesFewMessagesAConnectionGetsAllTheSame(_ end: String) async throws {
        let server = try await SMTPTestServer.python("limited", ["limit=7", "end=\(end)"])
        let responses = try await withTransport(server.provider { $0.connections = 2 }) { transport in
            await withTaskGroup(of: [ProviderResponse?].self) { tasks in
                for number in 0..<3 {
                    tasks.addTask { await transport.deliver(.numbered(30, from: number * 30)) { true } }
                }
                return await tasks.reduce(into: []) { $0 += $1 }
            }
        }
        #expect(responses.count == 90 && responses.allSatisfy { $0?.action == .accept })
        let taken = try server.taken.compactMap { $0["recipient"] }
        #expect(taken.count == 90 && Set(taken).count == 90)
    }

    @Test func repliesInClearBehindTheConsentToTLSAreNotBelieved() async throws {
        let server = try await SMTPTestServer.python("injector", [])
        let responses = try await withTransport(server.provider { $0.timeout = 0.3 }) { transport in
            await transport.deliver(.numbered(1)) { true }
        }
        #expect(responses[0]?.action == .reconnect)
        #expect(try server.taken.isEmpty)
    }
}
