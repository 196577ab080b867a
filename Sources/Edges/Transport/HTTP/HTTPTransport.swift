import Glibc
package import Logging
package import Model
package import Policy
import Synchronization

/// Delivers messages as HTTP requests (POST) to one provider's URL, over libcurl on a thread of its own: HTTP/2 where TLS
/// negotiates it, HTTP/1.1 otherwise, on connections kept alive; at most `provider.connections` requests at once, one a
/// connection.
/// A message is sent once: a request that may have been read is never repeated here.
package final class HTTPTransport: DeliveryTransport {
    private let queue = HTTPCommandQueue()
    private let logger: Logger

    /// Starts the thread; nothing is connected yet. Settings that cannot be used are told by `prepare`, and in the responses.
    /// - Parameters:
    ///   - responses: what the provider's refusals mean.
    ///   - fleet: workers that use the provider: they share the attempts to connect after failures.
    package init(
        provider: Provider, responses: ResponseTable = .standard, fleet: @escaping @Sendable () -> Int = { 1 }, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "provider"] = .string(provider.name)
        self.logger = logger
        HTTPThread.start(provider: provider, responses: responses, queue: queue, fleet: fleet, logger: logger)
    }

    /// Ends the thread when it is idle.
    deinit { queue.close() }

    /// Connects, with TLS where the URL says so, and disconnects, without a request.
    package func prepare() async throws(TransportError) -> ProviderCapabilities {
        let response = await withCheckedContinuation { queue.probe($0) }
        do throws(TransportError) {
            return try response.get()
        } catch {
            logger.debug("provider not ready", metadata: ["reason": .string(error.description)])
            throw error
        }
    }

    package func deliver(_ group: MessageGroup, mayStart: @escaping @Sendable () -> Bool) async -> [ProviderResponse?] {
        guard !group.messages.isEmpty else { return [] }
        let cancellation = Cancellation()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.submit(
                    HTTPSubmission(
                        group: group, mayStart: { !cancellation.isCancelled && mayStart() },
                        continuation: continuation))
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Waits for the requests in flight, starts no further one, closes all connections and ends the thread. A message that is
    /// delivered later is not started.
    package func close() async {
        await withCheckedContinuation { queue.close($0) }
    }

    package func abort() { queue.abort() }
}

/// Says whether the task that waits for a group was cancelled.
private final class Cancellation: Sendable {
    private let flag = Atomic(false)
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
    func cancel() { flag.store(true, ordering: .relaxed) }
}
