import NIOCore
import ServiceLifecycle
import Signing
import Telemetry
import TestServers
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
        var configuration = WebServer.Configuration(
            ListenAddress(host: "127.0.0.1", port: 0), purpose: "links", remedy: "none",
            limit: .init(connections: limit, timeout: .nanoseconds(Int64(first / .nanoseconds(1)))))
        configuration.requestTimeout = whole
        try await TestServers.serving(
            { onListening in
                [
                    WebServer(
                        configuration, logger: quietLogger, onListening: { onListening($0.port) },
                        handler: { tracker.answer($0, at: 0).response })
                ]
            }, body)
    }
}
