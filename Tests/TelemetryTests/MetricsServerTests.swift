import CoreMetrics
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestServers
import Testing

@testable import Telemetry

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite(.timeLimit(.minutes(5))) struct MetricsServerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a server while `body` works, and stops it gracefully.
    private func serving(
        _ metrics: PrometheusMetrics, _ readiness: Readiness, limit: ConnectionLimit.Configuration = .init(connections: 16),
        _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let server = MetricsServer(
            address: ListenAddress(host: "127.0.0.1", port: 0), metrics: metrics, readiness: readiness, limit: limit, logger: quiet,
            onListening: { continuation.yield($0) })
        let group = ServiceGroup(services: [server], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func get(_ port: Int, _ path: String) async throws -> (status: Int, type: String?, body: String) {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let (data, response) = try await session.data(from: url)
        let http = try #require(response as? HTTPURLResponse)
        return (http.statusCode, http.value(forHTTPHeaderField: "Content-Type"), String(decoding: data, as: UTF8.self))
    }

    @Test func metricsAndHealthAreServed() async throws {
        let metrics = PrometheusMetrics()
        Counter(label: "flotilla_redis_reconnects_total", factory: metrics).increment(by: 2)
        try await serving(metrics, Readiness()) { port in
            let page = try await get(port, "/metrics")
            #expect(page.status == 200)
            #expect(page.type == "text/plain; version=0.0.4; charset=utf-8")
            #expect(try Exposition(page.body).value("flotilla_redis_reconnects_total") == 2)
            let health = try await get(port, "/healthz")
            #expect(health.status == 200)
            #expect(health.body == "ok\n")
            #expect(try await get(port, "/secrets").status == 404)
        }
    }

    /// Clients that only connect take nothing from those that ask.
    @Test func idleConnectionsDoNotKeepOthersOut() async throws {
        let limit = ConnectionLimit.Configuration(connections: 8, timeout: .seconds(60))
        try await serving(PrometheusMetrics(), Readiness(), limit: limit) { port in
            let idle = try (0..<40).map { _ in try IdleClient(port) }
            // Those that had waited longest have made room; in which order they were taken is the system's affair.
            let evicted = try await eventually { idle.count(where: \.isClosed) >= 32 ? idle.count(where: \.isClosed) : nil }
            #expect(evicted == 32)
            for _ in 0..<4 { #expect(try await get(port, "/healthz").status == 200) }
        }
    }

    @Test func aConnectionWithoutARequestIsClosed() async throws {
        let limit = ConnectionLimit.Configuration(connections: 8, timeout: .milliseconds(50))
        try await serving(PrometheusMetrics(), Readiness(), limit: limit) { port in
            let silent = try IdleClient(port)
            let slow = try IdleClient(port)
            slow.send("GET /metrics HTTP/1.1\r\nHost: x\r\nX-A: ")
            #expect(try await eventually { silent.isClosed && slow.isClosed ? true : nil })
        }
    }

    @Test func readinessSaysWhatIsMissingAndSinceWhen() async throws {
        let clock = Mutex<Int64>(1_767_225_600_000)
        let readiness = Readiness(waitingFor: ["redis"]) { clock.withLock { $0 } }
        try await serving(PrometheusMetrics(), readiness) { port in
            readiness.set("ledger", ready: true)
            clock.withLock { $0 += 5_000 }
            readiness.set("redis", ready: false, why: "\"refused\"")
            let missing = try await get(port, "/readyz")
            #expect(missing.status == 503)
            #expect(missing.type == "application/json")
            let body = try #require(
                try JSONSerialization.jsonObject(with: Data(missing.body.utf8)) as? [String: Any])
            #expect(body["ready"] as? Bool == false)
            let checks = try #require(body["checks"] as? [[String: Any]])
            #expect(checks.map { $0["name"] as? String } == ["ledger", "redis"])
            #expect(checks[1]["why"] as? String == "\"refused\"")
            #expect(checks[1]["since"] as? String == "2026-01-01T00:00:00.000Z")

            readiness.set("redis", ready: true)
            #expect(try await get(port, "/readyz").status == 200)
            #expect(readiness.all.last?.since == 1_767_225_605_000)
        }
    }

    @Test func anAddressInUseIsReportedWithTheKeyToChange() async throws {
        try await serving(PrometheusMetrics(), Readiness()) { port in
            let second = MetricsServer(
                address: ListenAddress(host: "127.0.0.1", port: port), metrics: PrometheusMetrics(),
                readiness: Readiness(), logger: quiet)
            let error = await #expect(throws: WebServerError.self) { try await second.run() }
            #expect(
                error?.description == "cannot serve metrics on 127.0.0.1:\(port): Address already in use; "
                    + "set metrics.listen to another address and port, or to 'off'")
            let known = try #require(error)
            #expect(throws: known) { try second.checkAddress() }
        }
        for host in ["127.0.0.1", "::1", "nowhere.invalid"] {
            let free = MetricsServer(
                address: ListenAddress(host: host, port: 0), metrics: PrometheusMetrics(), readiness: Readiness(), logger: quiet)
            #expect(throws: Never.self) { try free.checkAddress() }
        }
    }

    @Test(arguments: [
        ("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:0", "::1", 0), ("metrics.local:65535", "metrics.local", 65535),
    ])
    func addressesAreRead(text: String, host: String, port: Int) {
        let address = ListenAddress(text)
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test(arguments: ["", "9464", ":9464", "::1:9464", "a:65536", "a:-1", "a:", "a b:1", "[::1]", "[]:1", "a:٣"])
    func otherTextIsNoAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
