import Model
import NIOCore

/// Whether a provider's connections can be had. After a failure none is tried for a while, and then one message at a time until one is
/// answered.
struct HTTPConnectionHealth {
    /// A failure, as the response of a message and as the error of `prepare`.
    typealias Failure = (response: ProviderResponse, error: TransportError)

    /// So many connections that end without a response say that the provider is gone. A provider may end a kept connection now and then.
    private static let suspicious = 3

    private var backoff = ConnectBackoff()
    /// Why there was no connection, the last time.
    private(set) var lastFailure: Failure?
    /// Connections that ended without a response since the last response.
    private var endedInARow = 0

    /// One message at a time shows whether there are connections.
    var isInDoubt: Bool { backoff.failures > 0 || endedInARow >= Self.suspicious }

    /// When a connection is tried again, where none is now.
    var heldUntil: NIODeadline { backoff.until }

    /// Whether no connection is tried at a time.
    func isHeld(at now: NIODeadline) -> Bool { backoff.holds(at: now) }

    /// A message has its response, or its connection has ended without one.
    mutating func answered(_ response: ProviderResponse) {
        endedInARow = response.missed == .connectionEnded ? endedInARow + 1 : 0
    }

    /// There was a connection.
    mutating func connected() { backoff.succeeded() }

    /// There was none.
    /// - Parameters:
    ///   - jitter: from 0 to 1.
    ///   - fleet: workers that use the provider.
    mutating func failed(_ failure: Failure, at now: NIODeadline, jitter: Double, fleet: Int) {
        backoff.failed(at: now, jitter: jitter, fleet: fleet)
        lastFailure = failure
    }
}
