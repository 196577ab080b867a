package import Logging
package import Model
package import NIOCore
package import Policy
package import Transport

/// Makes the transport that a provider's scheme asks for.
enum TransportFactory {
    /// - Parameter fleet: workers that use the provider.
    static func make(
        _ provider: Provider, hostname: String, responses: ResponseTable, group: any EventLoopGroup,
        fleet: @escaping @Sendable () -> Int = { 1 }, logger: Logger
    ) -> any DeliveryTransport {
        switch provider.scheme {
        case .smtp, .smtps:
            SMTPTransport(
                provider: provider, hostname: hostname, responses: responses, eventLoopGroup: group, fleet: fleet, logger: logger)
        case .http, .https: HTTPTransport(provider: provider, responses: responses, fleet: fleet, logger: logger)
        }
    }
}

/// Tries a provider before a mailing starts.
package enum ProviderCheck {
    /// Connects once, and says what is wrong where that fails.
    /// - Throws: `TransportError`.
    package static func check(
        _ provider: Provider, hostname: String, responses: ResponseTable = .standard, group: any EventLoopGroup,
        logger: Logger
    ) async throws(TransportError) -> ProviderCapabilities {
        let transport = TransportFactory.make(
            provider, hostname: hostname, responses: responses, group: group, logger: logger)
        do throws(TransportError) {
            let capabilities = try await transport.prepare()
            await transport.close()
            return capabilities
        } catch {
            await transport.close()
            throw error
        }
    }
}
