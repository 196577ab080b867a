import Foundation
import TestServers
import Testing
import Text
@testable import Model
@testable import Transport

/// Messages and connections of unusual size or end.
extension SMTPServerTests {
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

    /// RFC 5321 section 4.5.3.2.6 gives the response to the final dot more time than any other: whoever gives up earlier sends twice.
    @Test func theResponseToTheFinalDotHasATimeOfItsOwn() async throws {
        let server = try await SMTPTestServer.python("stalling", ["at=dot", "end=late"])
        var group = MessageGroup.numbered(1)
        group.messages[0].recipient = "stall@example.com"
        let patient = server.provider { $0.timeout = .milliseconds(200) }
        #expect(try await withTransport(patient) { await $0.deliver(group) { true } }[0]?.action == .accept)
        let hasty = server.provider { $0.finalTimeout = .milliseconds(200) }
        let response = try await withTransport(hasty) { await $0.deliver(group) { true } }[0]
        #expect(response?.missed == .timedOut && response?.text.contains("did not respond within 0.2 s") == true)
    }

    @Test func repliesInClearBehindTheConsentToTLSAreNotBelieved() async throws {
        let server = try await SMTPTestServer.python("injector", [])
        let responses = try await withTransport(
            server.provider {
                $0.startTLS = .required
                $0.connectTimeout = .milliseconds(300)
            }
        ) { transport in
            await transport.deliver(.numbered(1)) { true }
        }
        #expect(responses[0]?.action == .reconnect)
        #expect(try server.taken.isEmpty)
    }
}
