import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Serves `/metrics` in the Prometheus text format, `/healthz` (200 while the process serves), and `/readyz` (200 if every check is ready,
/// otherwise 503, with each check as JSON). It has no secrets and no authentication: bind it to an address that only operators reach.
package struct MetricsServer: Service {
    private let address: ListenAddress
    private let metrics: PrometheusMetrics
    private let readiness: Readiness
    private let logger: Logger
    private let connections: ConnectionLimit
    private let onListening: @Sendable (Int) -> Void

    /// Connections at once: some Prometheus servers, a load balancer, and people.
    package static let mostConnections = 64

    /// - Parameters:
    ///   - limit: connections at once, and how long each may be without a request.
    ///   - onListening: called once with the port that was bound.
    package init(
        address: ListenAddress, metrics: PrometheusMetrics, readiness: Readiness,
        limit: ConnectionLimit.Configuration = .init(connections: OpenFiles.serverConnections(atMost: mostConnections)),
        logger: Logger = Logger(label: "metrics"), onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.address = address
        self.metrics = metrics
        self.readiness = readiness
        self.logger = logger
        connections = ConnectionLimit(limit)
        self.onListening = onListening
    }

    /// Serves until graceful shutdown or cancellation.
    /// - Throws: `MetricsServerError` when it cannot listen.
    package func run() async throws {
        let isListening = Mutex(false)
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let application = Application(
            router: router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [connections.handler()],
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 8192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64))),
            configuration: .init(address: .hostname(address.host, port: address.port)),
            onServerRunning: { [logger, address, onListening] channel in
                isListening.withLock { $0 = true }
                let bound = ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port)
                logger.info("serving metrics and health", metadata: ["url": "http://\(bound)/metrics"])
                onListening(bound.port)
            },
            logger: quiet)
        do {
            try await application.run()
        } catch {
            guard !isListening.withLock({ $0 }) else { throw error }
            throw MetricsServerError(address: address, reason: (error as? IOError)?.plainText ?? "\(error)")
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("metrics") { _, _ in
            Self.response(.ok, metrics.exposition(), type: PrometheusText.contentType)
        }
        router.get("healthz") { _, _ in Self.response(.ok, "ok\n", type: "text/plain; charset=utf-8") }
        router.get("readyz") { _, _ in
            let checks = readiness.all
            let status: HTTPResponse.Status = checks.allSatisfy(\.ready) ? .ok : .serviceUnavailable
            return Self.response(status, checks.json, type: "application/json")
        }
        return router
    }

    private static func response(_ status: HTTPResponse.Status, _ body: String, type: String) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}

/// The metrics server could not listen on its address.
package struct MetricsServerError: Error, CustomStringConvertible {
    package let address: ListenAddress
    package let reason: String

    package var description: String {
        "cannot serve metrics on \(address): \(reason); set metrics.listen to another address and port, or to 'off'"
    }
}

extension IOError {
    /// The system's words for the error, without the name of the call.
    fileprivate var plainText: String { "\(SystemError.text(errnoCode))" }
}
