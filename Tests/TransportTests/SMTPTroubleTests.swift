import Sink
import Testing

@testable import Model
@testable import Transport

/// The transport against a server that often breaks connections off, or closes them with 421.
@Suite struct SMTPTroubleTests {
    /// Each group comes back soon: no job is lost between connections, and none waits for a reply to what was not sent.
    @Test(.timeLimit(.minutes(5)))
    func allGroupsComeBackWhileConnectionsBreak() async throws {
        var configuration = SinkConfiguration(listeners: [SinkListener(scheme: .smtp)])
        configuration.failures = try FailureProfile(parsing: "drop=0.15,drop-after=0.05,421=0.02")
        let sink = try await SinkServer.start(configuration: configuration)
        let provider = Provider(name: "sink", scheme: .smtp, host: "127.0.0.1", port: sink.port(.smtp) ?? 0).with {
            $0.connections = 8
            $0.timeout = .seconds(60)
        }
        let responses = try await withTransport(provider) { transport in
            await withTaskGroup(of: [ProviderResponse?].self) { tasks in
                for number in 0..<200 {
                    tasks.addTask { await transport.deliver(.numbered(10, from: number * 10)) { true } }
                }
                return await tasks.reduce(into: []) { $0 += $1 }
            }
        }
        await sink.stop()
        // Those behind a message that met 421 come back without a response.
        let texts = responses.compactMap { $0?.text }
        #expect(responses.count == 2000 && texts.count > 1500)
        #expect(!texts.contains { $0.contains("did not answer") })
        #expect(responses.filter { $0?.action == .accept }.count <= sink.counts.accepted)
    }
}
