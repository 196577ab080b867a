package import Logging
package import Model
package import NIOCore
package import Policy
package import Transport

/// Sends one message at once, by the transport that workers use: without limits, retries and a ledger.
package enum SingleDelivery {
    /// - Parameter make: makes the message for a provider that understands this.
    /// - Returns: nil where the message was not started.
    /// - Throws: `TransportError` where the provider cannot be reached or refuses us.
    package static func send(
        to provider: Provider, hostname: String, responses: ResponseTable, group: any EventLoopGroup, logger: Logger,
        _ make: @Sendable (ProviderCapabilities) -> MessageGroup
    ) async throws(TransportError) -> ProviderResponse? {
        let transport = TransportFactory.make(provider, hostname: hostname, responses: responses, group: group, logger: logger)
        do throws(TransportError) {
            let message = make(try await transport.prepare())
            let response = await transport.deliver(message) { true }
            await transport.close()
            return response.first ?? nil
        } catch {
            await transport.close()
            throw error
        }
    }
}
