import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization

/// Reads bodies of requests within their bounds. Those that are kept share a bound of memory: however many strangers send large ones at
/// once, and however slowly, no more than that is in memory.
final class BodyReader: Sendable {
    private let bodyBytes: Int
    private let keptBody: (@Sendable (WebRequest) -> Int?)?
    private let keptBytes: Int
    /// Bytes of kept bodies in memory.
    private let kept = Mutex(0)

    init(_ configuration: WebServer.Configuration) {
        bodyBytes = configuration.bodyBytes
        keptBody = configuration.keptBody
        keptBytes = configuration.keptBytes
    }

    private static let text = WebResponse.Fields([("Content-Type", "text/plain; charset=utf-8")])
    private static let tooLarge = WebResponse(413, text, .init(Array("too large\n".utf8)))
    private static let busy = WebResponse(
        503, .init([("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]), .init(Array("try again later\n".utf8)))

    /// Reads the body to its end, or as far as it may go, and has the request answered.
    func reading(
        _ request: Request, _ head: inout WebRequest, _ handler: (WebRequest) async -> WebResponse
    ) async throws -> WebResponse {
        let most = keptBody?(head)
        if let length = request.headers[.contentLength], Int(length).map({ $0 > most ?? bodyBytes }) ?? true { return Self.tooLarge }
        var count = 0
        var taken = 0
        defer { if taken > 0 { give(back: taken) } }
        for try await part in request.body {
            count += part.readableBytes
            guard count <= most ?? bodyBytes else { return Self.tooLarge }
            guard most != nil else { continue }
            guard take(part.readableBytes) else { return Self.busy }
            taken += part.readableBytes
            head.body += part.readableBytesView
        }
        return await handler(head)
    }

    private func take(_ count: Int) -> Bool {
        kept.withLock { kept in
            guard kept + count <= keptBytes else { return false }
            kept += count
            return true
        }
    }

    private func give(back count: Int) { kept.withLock { $0 -= count } }
}
