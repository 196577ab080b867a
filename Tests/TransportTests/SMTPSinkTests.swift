import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestServers
import Testing

@testable import Model
@testable import Transport

/// The transport against Postfix's smtp-sink, which keeps its own record of what arrived.
@Suite struct SMTPSinkTests {
    private func kinds(_ responses: [ProviderResponse?]) -> [ResponseAction?] { responses.map { $0?.action } }

    @Test(arguments: [[], ["-p"], ["-e"], ["-8", "-E"]])
    func manyGroupsAtOnceArriveOnceEach(_ options: [String]) async throws {
        let server = try await SMTPTestServer.sink(options)
        let responses = try await withTransport(server.provider()) { transport in
            await withTaskGroup(of: [ProviderResponse?].self) { tasks in
                for number in 0..<20 {
                    tasks.addTask { await transport.deliver(.numbered(30, from: number * 30)) { true } }
                }
                return await tasks.reduce(into: []) { $0 += $1 }
            }
        }
        #expect(responses.count == 600 && kinds(responses).allSatisfy { $0 == .accept })
        let sunk = server.sunk
        #expect(Set(sunk.recipients).count == 600 && sunk.recipients.count == 600)
        #expect(sunk.lines.filter { $0 == ".dot" }.count == 600)
        #expect(Set(sunk.lines.filter { $0.hasPrefix("bye ") }).count == 600)
    }

    @Test func prepareTellsWhatTheServerOffers() async throws {
        let server = try await SMTPTestServer.sink(["-h", "sink.example.com"])
        let capabilities = try await withTransport(server.provider()) { try await $0.prepare() }
        #expect(capabilities.eightBitMIME && !capabilities.smtpUTF8)
    }

    @Test(arguments: [
        ("-r", "rcpt", ResponseAction.retry, DeliveryStage.rcpt, 450),
        ("-f", "rcpt", .fail, .rcpt, 500),
        ("-f", "mail", .pauseMailing, .mail, 500),
        ("-r", "data", .retry, .data, 450),
        ("-f", ".", .fail, .response, 500),
        ("-r", ".", .retry, .response, 450),
    ])
    func refusalsAreAnsweredMessageByMessage(
        _ option: String, _ command: String, _ action: ResponseAction, _ stage: DeliveryStage, _ code: Int
    ) async throws {
        let server = try await SMTPTestServer.sink([option, command])
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(10)) { true } }
        for response in responses {
            #expect(response?.action == action && response?.stage == stage && response?.code == code, "\(String(describing: response))")
            #expect(response?.text.isEmpty == false)
        }
        #expect(responses.count == 10)
    }

    @Test(arguments: [("mail", DeliveryStage.mail), ("rcpt", .rcpt), ("data", .data)])
    func aServerThatDropsAtACommandIsGivenUpAfterAFewTries(_ command: String, _ stage: DeliveryStage) async throws {
        let server = try await SMTPTestServer.sink(["-q", command])
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(10)) { true } }
        #expect(kinds(responses) == Array(repeating: .reconnect, count: 10))
        #expect(responses[0]?.stage == stage)
        #expect(responses.dropFirst().allSatisfy { $0?.stage == .connect })
        #expect(server.sunk.recipients.isEmpty)
    }

    @Test func aServerThatDropsAfterTheDotLeavesFewUncertain() async throws {
        let server = try await SMTPTestServer.sink(["-q", "."])
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(10)) { true } }
        #expect(kinds(responses) == Array(repeating: .reconnect, count: 10))
        #expect(responses.prefix(SMTPJob.backoff).allSatisfy { $0?.stage == .body })
        #expect(responses.dropFirst(SMTPJob.backoff).allSatisfy { $0?.stage == .connect })
    }

    @Test(arguments: ["connect", "ehlo", "mail", "rcpt", "data", "."])
    func aServerThatClosesWith421HasOneMessageOfTheGroup(_ command: String) async throws {
        let server = try await SMTPTestServer.sink(["-Q", command])
        let responses = try await withTransport(server.provider()) { await $0.deliver(.numbered(10)) { true } }
        #expect(responses[0]?.action == .slowDown && responses[0]?.code == 421, "\(String(describing: responses[0]))")
        // The others were not tried, and go back.
        #expect(responses.dropFirst().allSatisfy { $0 == nil } && responses.count == 10)
    }

    @Test func aPauseTakesEffectWithinTheGroup() async throws {
        let server = try await SMTPTestServer.sink(["-h", "sink.example.com"])
        let left = Mutex(7)
        let responses = try await withTransport(server.provider()) { transport in
            await transport.deliver(.numbered(20)) {
                left.withLock { left in
                    left -= 1
                    return left >= 0
                }
            }
        }
        #expect(kinds(responses) == Array(repeating: .accept, count: 7) + Array(repeating: nil, count: 13))
        #expect(server.sunk.recipients.count == 7)
    }

    @Test func nobodyListensIsUnreachableAndSoOnBecomesReachable() async throws {
        let port = try freePort()
        let provider = Provider(name: "late", scheme: .smtp, host: "127.0.0.1", port: port)
        try await withTransport(provider) { transport in
            let refused = await transport.deliver(.numbered(3)) { true }
            for response in refused { #expect(response?.action == .reconnect && response?.stage == .connect) }
            do throws(TransportError) {
                _ = try await transport.prepare()
                Issue.record("nobody listens")
            } catch {
                #expect(error.description.contains("Connection refused") && error.description.contains("check host"))
            }
            let server = try await SMTPTestServer.sink(["-h", "sink.example.com"], port: port)
            let responses = await transport.deliver(.numbered(3)) { true }
            #expect(kinds(responses) == [.accept, .accept, .accept])
            #expect(server.sunk.recipients.count == 3)
        }
    }

    @Test func aRestartedServerIsFoundAgain() async throws {
        let port = try freePort()
        let first = try await SMTPTestServer.sink(["-h", "first.example.com"], port: port)
        try await withTransport(first.provider()) { transport in
            #expect(kinds(await transport.deliver(.numbered(2)) { true }) == [.accept, .accept])
            first.stop()
            let second = try await SMTPTestServer.sink(["-h", "second.example.com"], port: port)
            #expect(kinds(await transport.deliver(.numbered(2)) { true }) == [.accept, .accept])
            #expect(second.sunk.recipients.count == 2)
        }
    }

    @Test func aServerThatSaysNothingIsGivenUpInTime() async throws {
        let listener = try SilentServer()
        let provider = Provider(name: "silent", scheme: .smtp, host: "127.0.0.1", port: listener.port).with {
            $0.timeout = .milliseconds(200)
        }
        try await withTransport(provider) { transport in
            let responses = await transport.deliver(.numbered(2)) { true }
            for response in responses { #expect(response?.action == .reconnect && response?.stage == .connect) }
            do throws(TransportError) {
                _ = try await transport.prepare()
                Issue.record("it cannot be prepared")
            } catch {
                #expect(error.stage == .greeting && error.description.contains("did not respond within 0.2 s"))
            }
        }
    }

    @Test func aServerThatStopsRespondingIsGivenUpInTime() async throws {
        let server = try await SMTPTestServer.sink(["-p", "-w", "100"])
        let responses = try await withTransport(server.provider { $0.timeout = .seconds(2) }) { transport in
            await transport.deliver(.numbered(2)) { true }
        }
        #expect(responses[0]?.stage == .data && responses[1]?.stage == .connect)
        #expect(kinds(responses) == [.reconnect, .reconnect])
    }

    @Test func whoIsCancelledWhileWaitingGetsNothingSent() async throws {
        let listener = try SilentServer()
        let provider = Provider(name: "silent", scheme: .smtp, host: "127.0.0.1", port: listener.port).with {
            $0.connectTimeout = .seconds(30)
        }
        let transport = SMTPTransport(
            provider: provider, hostname: "client.example.com",
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let task = Task { await transport.deliver(.numbered(2)) { true } }
        task.cancel()
        #expect(kinds(await task.value) == [nil, nil])
        await transport.close()
        #expect(kinds(await transport.deliver(.numbered(1)) { true }) == [nil])
    }
}
