package import Logging
package import ServiceLifecycle

/// What tests log with that look at no log.
package let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs services while `body` works, and stops them gracefully.
package func running(_ services: [any Service], _ body: () async throws -> Void) async throws {
    let group = ServiceGroup(services: services, logger: quietLogger)
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
///   - make: makes them; the server calls its argument with the port that it has bound.
///   - body: gets the server's port.
package func serving(
    _ make: (_ onListening: @escaping @Sendable (Int) -> Void) throws -> [any Service], _ body: (Int) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    try await running(try make { continuation.yield($0) }) {
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw TimedOut(description: "the server has bound no port") }
        try await body(port)
    }
}
