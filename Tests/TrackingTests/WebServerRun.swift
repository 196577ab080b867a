import NIOCore
import ServiceLifecycle
import Signing
import Telemetry
import Testing
import Text

@testable import Tracking

/// The tracker's answers from a server with short timeouts.
struct WebServerRun {
    let limit: Int
    /// How long a connection may be without a request, and how long a request may take.
    let first: Duration
    let whole: Duration

    func serving(_ body: (Int) async throws -> Void) async throws {
        let tracker = Tracker(.init(url: "http://localhost", keys: try SigningKeys([1: Secret(String(repeating: "k", count: 32))])))
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var configuration = WebServer.Configuration(
            ListenAddress(host: "127.0.0.1", port: 0), purpose: "links", remedy: "none",
            limit: .init(connections: limit, timeout: .nanoseconds(Int64(first / .nanoseconds(1)))))
        configuration.requestTimeout = whole
        let server = WebServer(
            configuration, logger: TestTracker.quiet, onListening: { continuation.yield($0.port) },
            handler: { tracker.answer($0, at: 0).response })
        let group = ServiceGroup(services: [server], logger: TestTracker.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let result: Result<Void, any Error>
            do { result = .success(try await body(port)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}
