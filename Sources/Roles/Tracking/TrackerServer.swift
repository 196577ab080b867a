package import Logging
package import Model
import ServiceLifecycle
package import Telemetry

/// The public server of the tracker. A visitor is answered at once; what they did is an event that goes its way behind that. Where events
/// come faster than they can be written, an answer waits until there is room for its event, a second at most, and its connection with it.
package struct TrackerServer: Service {
    private let server: WebServer

    /// Connections at once in a process with other roles.
    package static var fewConnections: Int { OpenFiles.serverConnections(atMost: 1024) }

    /// Connections at once in a process of its own: half of what it may open, up to 8,192.
    package static var possibleConnections: Int { max(fewConnections, min(8192, (OpenFiles.limit - OpenFiles.reserve) / 2)) }

    /// - Parameters:
    ///   - connections: at once.
    ///   - asker: asks the ledger for pages that need it; nil for pages without that.
    ///   - webhooks: takes what providers tell; nil where none is set up.
    package init(
        _ tracker: Tracker, at address: ListenAddress, connections: Int, events: EventBuffer, webhooks: WebhookReceiver? = nil,
        asker: QuestionAsker? = nil, clocks: Clocks = .system, logger: Logger,
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) {
        var configuration = WebServer.Configuration(
            address, purpose: "links of messages", remedy: "set tracker.listen to another address and port",
            limit: .init(connections: connections))
        let formBytes = configuration.bodyBytes
        configuration.keptBody = { request in
            if let webhooks, webhooks.has(tracker.webhook(of: request)) { return WebhookReceiver.bodyBytes }
            return asker != nil && VisitorLookups.hasForm(request) ? formBytes : nil
        }
        let lookups = asker.map { VisitorLookups(tracker, $0) }
        let meters = TrackerMeters()
        server = WebServer(
            configuration, logger: logger,
            onListening: { bound in
                logger.info("serving links of messages", metadata: ["url": "http://\(bound)"])
                onListening(bound)
            },
            handler: { request in
                if let webhooks, request.method == .post, let name = tracker.webhook(of: request), webhooks.has(name) {
                    return await webhooks.take(request, for: name)
                }
                let now = clocks.milliseconds
                var answer = await lookups?.answer(request, at: now) ?? tracker.answer(request, at: now)
                var isKept = true
                for event in [answer.event, answer.further].compactMap(\.self) where await !events.add(event) {
                    answer = tracker.answer(insteadOf: answer, dropped: event, request)
                    isKept = false
                }
                if isKept { lookups?.note(answer) }
                meters.count(answer)
                return answer.response
            })
    }

    /// Serves until graceful shutdown or cancellation.
    /// - Throws: `WebServerError` when it cannot listen.
    package func run() async throws { try await server.run() }
}
