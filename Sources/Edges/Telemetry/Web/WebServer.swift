import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import Model
import NIOCore
import ServiceLifecycle
import Synchronization

/// A server of HTTP/1.1 that strangers may reach: connections, heads, bodies and times are bounded, and nothing that they send ends it.
package struct WebServer: Service {
    package struct Configuration: Sendable {
        package var address: ListenAddress
        /// What is served, and what to do where the address cannot be had, for people.
        package var purpose: String
        package var remedy: String
        /// Connections at once, and how long each may be without a request.
        package var limit: ConnectionLimit.Configuration
        /// How long a request may take, with its answer.
        package var requestTimeout: Duration = .seconds(10)
        /// Bytes of a request's line, or of one of its fields, at most.
        package var fieldBytes = 16 << 10
        /// Bytes of a POST's body at most, which is discarded.
        package var bodyBytes = 16 << 10
        /// Which requests' bodies are kept for the handler, and their bytes at most; nil for none.
        package var keptBody: (@Sendable (WebRequest) -> Int?)?
        /// Bytes of kept bodies in memory at most, of all requests at once. Beyond that they are refused for now.
        package var keptBytes = 64 << 20

        package init(_ address: ListenAddress, purpose: String, remedy: String, limit: ConnectionLimit.Configuration) {
            self.address = address
            self.purpose = purpose
            self.remedy = remedy
            self.limit = limit
        }

        /// Bytes of a request's body at most.
        func mostBytes(of request: WebRequest) -> Int { keptBody?(request) ?? bodyBytes }
    }

    package typealias Handler = @Sendable (WebRequest) async -> WebResponse

    private let configuration: Configuration
    private let connections: ConnectionLimit
    private let logger: Logger
    private let onListening: @Sendable (ListenAddress) -> Void
    private let handler: Handler

    /// - Parameters:
    ///   - onListening: called once with the address that was bound.
    ///   - handler: answers a request, whose body has been read, and discarded unless it is to be kept.
    package init(
        _ configuration: Configuration, logger: Logger, onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in },
        handler: @escaping Handler
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        self.handler = handler
        connections = ConnectionLimit(configuration.limit)
    }

    /// Serves until graceful shutdown or cancellation.
    /// - Throws: `WebServerError` when it cannot listen.
    package func run() async throws {
        let isListening = Mutex(false)
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let address = configuration.address
        let application = Application(
            responder: WebResponder(handler: handler, reader: BodyReader(configuration)), server: .http1(configuration: channels),
            configuration: .init(address: .hostname(address.host, port: address.port)),
            onServerRunning: { [onListening] channel in
                isListening.withLock { $0 = true }
                onListening(ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port))
            },
            logger: quiet)
        do {
            try await application.run()
        } catch {
            guard !isListening.withLock({ $0 }) else { throw error }
            throw refusal((error as? IOError).map { SystemError.text($0.errnoCode) } ?? "\(error)")
        }
    }

    /// Says whether the address can be had, before whatever else the process is to do begins.
    /// - Throws: `WebServerError` where it cannot listen now.
    package func checkAddress() throws(WebServerError) {
        if let problem = configuration.address.problem { throw refusal(problem) }
    }

    private func refusal(_ reason: String) -> WebServerError {
        WebServerError(
            description: "cannot serve \(configuration.purpose) on \(configuration.address): \(reason); \(configuration.remedy)")
    }

    private var channels: HTTP1Channel.Configuration {
        let requestTimeout = TimeAmount.nanoseconds(configuration.requestTimeout.nanoseconds)
        return .init(
            additionalChannelHandlers: [
                ContinueReply(configuration), connections.handler(), RequestDeadline(requestTimeout),
            ],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: configuration.fieldBytes, maxHeaderListSize: 2 * configuration.fieldBytes, maxHeaderFieldCount: 100))
    }
}

/// A server could not listen on its address.
package struct WebServerError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Reads a request's body within its bound, and has the request answered.
private struct WebResponder: HTTPResponder {
    struct Context: InitializableFromSource {
        let address: SocketAddress?

        init(source: ApplicationRequestContextSource) { address = source.channel.remoteAddress }
    }

    let handler: WebServer.Handler
    let reader: BodyReader

    func respond(to request: Request, context: Context) async throws -> Response {
        var head = WebRequest(request.head, from: context.address)
        guard head.method == .post else { return await handler(head).response(to: head.method) }
        return try await reader.reading(request, &head) { request in await handler(request) }.response(to: .post)
    }
}
