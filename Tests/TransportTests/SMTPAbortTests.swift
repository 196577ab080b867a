import Foundation
import Logging
import NIOPosix
import TestServers
import Testing

@testable import Model
@testable import Transport

/// What is answered when we end connections ourselves, and when they end within a text.
@Suite struct SMTPAbortTests {
    private static let cut = "cut short by our own stop; it may have arrived"
    private static let large = String(repeating: "0123456789abcdefghijklmnopqrstuvwxyz\r\n", count: 400_000)

    private func transport(_ provider: Provider) -> SMTPTransport {
        SMTPTransport(
            provider: provider, hostname: "client.example.com", eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Four messages; the server stalls at the third.
    private func group(text: String = "short\r\n") -> MessageGroup {
        var group = MessageGroup.numbered(4) { $0 == 2 ? text : "short\r\n" }
        group.messages[2].recipient = "stall@example.com"
        return group
    }

    /// Delivers on one connection, aborts when the server stalls, and waits for the server's own end of the connection.
    /// - Returns: the responses, and the final dots that the server saw.
    private func aborted(
        _ server: SMTPTestServer, _ group: MessageGroup, _ change: (inout Provider) -> Void = { _ in }
    ) async throws -> (responses: [ProviderResponse?], dots: String?) {
        let transport = transport(
            server.provider {
                $0.connections = 1
                change(&$0)
            })
        async let first = transport.deliver(group) { true }
        try await eventually("the stall") { try server.taken.first }
        async let waiting = transport.deliver(.numbered(2)) { true }
        let start = ContinuousClock.now
        transport.abort()
        let responses = await first
        #expect(await waiting == [nil, nil])
        #expect(await transport.deliver(.numbered(2)) { true } == [nil, nil])
        await transport.close()
        #expect(ContinuousClock.now - start < .seconds(30))
        let dots = try await eventually("the connection's end") { try server.taken.first { $0["event"] == "lost" } }
        return (responses, dots["dots"])
    }

    @Test func aMessageBehindItsFinalDotMayHaveArrived() async throws {
        let server = try await SMTPTestServer.python("stalling", ["at=dot"])
        let (responses, dots) = try await aborted(server, group())
        #expect(responses.map { $0?.action } == [.accept, .accept, .reconnect, nil])
        #expect(responses[2] == ProviderResponse(missed: .workerEnded, stage: .body, text: Self.cut))
        #expect(dots == "3")
    }

    @Test(arguments: ["rcpt", "data"])
    func aMessageWhoseEnvelopeAloneWasSentIsNotStarted(_ stage: String) async throws {
        let server = try await SMTPTestServer.python("stalling", ["at=\(stage)"])
        var group = MessageGroup.numbered(2)
        group.messages[0].recipient = "stall@example.com"
        let (responses, dots) = try await aborted(server, group)
        #expect(responses == [nil, nil])
        #expect(dots == "0")
    }

    @Test(arguments: [false, true])
    func aTextWithoutItsFinalDotIsNotStartedAndNeverArrives(_ isEncrypted: Bool) async throws {
        let folder = try TemporaryFolder()
        let (certificate, key) = try SMTPTestServer.certificate(in: folder)
        let server = try await SMTPTestServer.python(
            "stalling", ["at=text"] + (isEncrypted ? ["cert=\(certificate)", "key=\(key)"] : []))
        let (responses, dots) = try await aborted(server, group(text: Self.large)) {
            guard isEncrypted else { return }
            $0.scheme = .smtps
            $0.caFile = certificate
        }
        #expect(responses.map { $0?.action } == [.accept, .accept, nil, nil])
        #expect(dots == "2")
    }

    @Test func aConnectionLostWithinATextLeavesNothingUncertain() async throws {
        let server = try await SMTPTestServer.python("stalling", ["at=text", "end=reset"])
        let responses = try await withTransport(server.provider { $0.connections = 1 }) { transport in
            await transport.deliver(group(text: Self.large)) { true }
        }
        #expect(responses.map { $0?.action } == [.accept, .accept, .reconnect, .reconnect])
        #expect(responses.map { $0?.stage } == [.response, .response, .data, .connect])
        let dots = try server.taken.compactMap { $0["dots"] }
        #expect(dots.sorted() == ["0", "0", "0", "2"], "it was tried on three more connections")
    }

    @Test func aServerThatSilencesEachOfManyConnectionsHoldsNobodyUp() async throws {
        let server = try await SMTPTestServer.python("stalling", ["at=dot"])
        let transport = transport(server.provider { $0.connections = 8 })
        let responses = await withTaskGroup(of: [ProviderResponse?].self) { tasks in
            for number in 0..<40 {
                tasks.addTask {
                    var group = MessageGroup.numbered(5, from: number * 5)
                    group.messages[3].recipient = "stall@example.com"
                    return await transport.deliver(group) { true }
                }
            }
            _ = try? await eventually("the stalls") { try server.taken.count == 8 ? true : nil }
            transport.abort()
            return await tasks.reduce(into: [[ProviderResponse?]]()) { $0.append($1) }
        }
        await transport.close()
        #expect(responses.count == 40)
        #expect(responses.filter { $0[3]?.stage == .body && $0[3]?.text == Self.cut }.count == 8)
        #expect(responses.filter { $0 == [nil, nil, nil, nil, nil] }.count == 32)
        #expect(responses.allSatisfy { $0[4] == nil })
    }

    @Test func whoWaitsForAConnectionIsLetGoAtOnce() async throws {
        let listener = try SilentServer()
        let transport = transport(
            Provider(name: "silent", scheme: .smtp, host: "127.0.0.1", port: listener.port).with {
                $0.connectTimeout = .seconds(30)
            })
        let task = Task { await transport.deliver(.numbered(2)) { true } }
        transport.abort()
        #expect(await task.value == [nil, nil])
        await transport.close()
    }
}
