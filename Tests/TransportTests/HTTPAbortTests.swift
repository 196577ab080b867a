import Model
import TestServers
import Testing

@testable import Transport

/// What is answered when we end requests ourselves.
@Suite struct HTTPAbortTests {
    private static let cut = ProviderResponse(
        missed: .workerEnded, stage: .response, text: "cut short by our own stop; it may have arrived")

    @Test func whatWasSentMayHaveArrivedAndTheRestIsNotStarted() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(httpProvider(server.port, path: "/hold") { $0.connections = 4 })
        async let first = transport.deliver(httpGroup(10)) { true }
        var keys: Set<String> = []
        for _ in 0..<4 { keys.insert(try await server.nextRequest().key) }
        async let waiting = transport.deliver(httpGroup(2, from: 10)) { true }
        let start = ContinuousClock.now
        transport.abort()
        let responses = await first
        #expect(responses == Array(repeating: Self.cut, count: 4) + Array(repeating: nil, count: 6))
        #expect(keys == Set((0..<4).map { "0123456789abc/0/\($0)" }))
        #expect(await waiting == [nil, nil])
        #expect(await transport.deliver(httpGroup(2)) { true } == [nil, nil])
        await transport.close()
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func itEndsACloseThatWaits() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(httpProvider(server.port, path: "/silent"))
        async let responses = transport.deliver(httpGroup(1)) { true }
        _ = try await server.nextRequest()
        async let closed: Void = transport.close()
        transport.abort()
        await closed
        #expect(await responses == [Self.cut])
    }

    @Test func aRequestWithoutAConnectionIsNotStarted() async throws {
        let full = try SilentServer(backlog: 0)
        #expect(canConnect(full.port))
        let transport = httpTransport(httpProvider(full.port) { $0.connectTimeout = .seconds(60) })
        let (begun, begin) = AsyncStream<Void>.makeStream()
        async let responses = transport.deliver(httpGroup(1)) {
            begin.finish()
            return true
        }
        for await _ in begun {}
        let probe = Task { try await transport.prepare() }
        transport.abort()
        #expect(await responses == [nil])
        await #expect(throws: TransportError.self) { try await probe.value }
        await transport.close()
    }
}
