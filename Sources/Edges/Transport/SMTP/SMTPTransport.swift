package import Logging
package import Model
package import NIOCore
package import Policy

/// Delivers over SMTP (RFC 5321): a pool of connections, each of which takes a whole group and gives back its responses.
///
/// A message whose final dot was sent but not acknowledged when a connection failed gets `.reconnect` at the stage `.body`, because
/// it may have arrived. A message without its final dot cannot have arrived; it is sent again on another connection, a few times.
package final class SMTPTransport: DeliveryTransport {
    private let pool: SMTPPool

    /// - Parameters:
    ///   - provider: where to, of scheme `smtp` or `smtps`.
    ///   - hostname: this machine's name, for EHLO.
    ///   - responses: what the provider's refusals mean.
    ///   - eventLoopGroup: what the connections run on; it must outlive `close`.
    ///   - fleet: workers that use the provider: they share the attempts to connect after failures.
    package init(
        provider: Provider, hostname: String, responses: ResponseTable = .standard, eventLoopGroup: any EventLoopGroup,
        fleet: @escaping @Sendable () -> Int = { 1 }, logger: Logger
    ) {
        pool = SMTPPool(
            provider: provider, hostname: hostname, responses: responses, group: eventLoopGroup, fleet: fleet, logger: logger)
    }

    package func prepare() async throws(TransportError) -> ProviderCapabilities {
        let result = await withCheckedContinuation { waiter in
            pool.add(SMTPJob(.prepare(waiter), stop: SMTPCancellation()))
        }
        return try result.get()
    }

    package func deliver(_ group: MessageGroup, mayStart: @escaping @Sendable () -> Bool) async -> [ProviderResponse?] {
        guard !group.messages.isEmpty else { return [] }
        let stop = SMTPCancellation()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let run = SMTPGroupDelivery(group) { !stop.isSet && mayStart() }
                pool.add(SMTPJob(.deliver(run, waiter), stop: stop))
            }
        } onCancel: {
            stop.set()
            pool.withdraw(stop)
        }
    }

    package func close() async { await pool.close() }

    package func abort() { pool.abort() }
}
