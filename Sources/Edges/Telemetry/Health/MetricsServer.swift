package import Logging
import ServiceLifecycle

/// Serves `/metrics` in the Prometheus text format, `/healthz` (200 while the process serves), and `/readyz` (200 if every check is ready,
/// otherwise 503, with each check as JSON). It has no secrets and no authentication: bind it to an address that only operators reach.
package struct MetricsServer: Service {
    private let server: WebServer

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
        let configuration = WebServer.Configuration(
            address, purpose: "metrics", remedy: "set metrics.listen to another address and port, or to 'off'", limit: limit)
        server = WebServer(
            configuration, logger: logger,
            onListening: { bound in
                logger.info("serving metrics and health", metadata: ["url": "http://\(bound)/metrics"])
                onListening(bound.port)
            }, handler: { Self.answer($0, metrics, readiness) })
    }

    /// Serves until graceful shutdown or cancellation.
    /// - Throws: `WebServerError` when it cannot listen.
    package func run() async throws { try await server.run() }

    /// Says whether the address can be had, before whatever else the process is to do begins.
    /// - Throws: `WebServerError` where it cannot listen now.
    package func checkAddress() throws(WebServerError) { try server.checkAddress() }

    private static func answer(_ request: WebRequest, _ metrics: PrometheusMetrics, _ readiness: Readiness) -> WebResponse {
        guard request.method == .get || request.method == .head else { return response(405, "only GET and HEAD\n") }
        switch request.path {
        case "/metrics": return response(200, metrics.exposition(), type: PrometheusText.contentType)
        case "/healthz": return response(200, "ok\n")
        case "/readyz":
            let checks = readiness.all
            return response(checks.allSatisfy(\.ready) ? 200 : 503, checks.json, type: "application/json")
        default: return response(404, "there is nothing here: /metrics, /healthz, /readyz\n")
        }
    }

    private static func response(_ status: Int, _ body: String, type: String = "text/plain; charset=utf-8") -> WebResponse {
        WebResponse(status, .init([("Content-Type", type), ("Cache-Control", "no-store")]), .init(Array(body.utf8)))
    }
}
