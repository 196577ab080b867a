import ServiceLifecycle
import Telemetry
import Testing

/// Runs services while `body` works, and stops them gracefully.
func running(_ services: [any Service], _ body: () async throws -> Void) async throws {
    let group = ServiceGroup(services: services, logger: TestTracker.quiet)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        try result.get()
    }
}

/// Runs services with a server among them while `body` works, and stops them gracefully.
/// - Parameters:
///   - make: makes them; the server calls its argument with the address that it has bound.
///   - body: gets the server's port.
func serving(
    _ make: (_ onListening: @escaping @Sendable (ListenAddress) -> Void) throws -> [any Service], _ body: (Int) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    try await running(try make { continuation.yield($0.port) }) {
        var iterator = ports.makeAsyncIterator()
        try await body(try #require(await iterator.next()))
    }
}
