import Logging
import Model
import NIOCore
import Policy
import Synchronization
import Transport

/// A worker's way to one provider: connections, how many groups use them at once, and how the provider does. All mailings that name the
/// provider in the same words share it.
final class ProviderLink: Sendable {
    let provider: Provider
    let transport: any DeliveryTransport
    /// Places for groups: one for each that its connections can have at once, and more where Redis is far (`adapt`).
    let limiter: ConcurrencyLimiter
    private let places: Int
    let breaker: ProviderCircuitBreaker
    let groupSizer: GroupSizer
    /// A connection takes one message at a time, so that groups are what goes in parallel.
    let isSequential: Bool
    /// The setting that says how many places the limiter has.
    let setting: String
    private let clocks: Clocks

    convenience init(_ provider: Provider, worker: WorkerContext, group: any EventLoopGroup) {
        let configuration = worker.configuration
        let transport = TransportFactory.make(
            provider, hostname: configuration.hostname, responses: configuration.responses, group: group,
            fleet: { [worker] in worker.fleet.load(ordering: .relaxed) }, logger: worker.logger)
        self.init(provider, worker: worker, transport: transport)
    }

    init(_ provider: Provider, worker: WorkerContext, transport: any DeliveryTransport) {
        let configuration = worker.configuration
        self.provider = provider
        self.transport = transport
        clocks = worker.clocks
        isSequential = provider.scheme == .smtp || provider.scheme == .smtps
        // An SMTP connection has a group to itself: more groups than connections would only be started earlier.
        let places = isSequential ? min(configuration.concurrency, provider.connections) : configuration.concurrency
        self.places = places
        limiter = ConcurrencyLimiter(places)
        setting = places < configuration.concurrency ? "connections=\(places)" : "worker.concurrency=\(places)"
        breaker = ProviderCircuitBreaker(
            provider, changes: worker.changes, signal: worker.demand, health: configuration.health, clocks: worker.clocks,
            logger: worker.logger)
        // The requests of an HTTP group are spread over all connections.
        let least = isSequential ? 1 : (provider.connections + configuration.concurrency - 1) / configuration.concurrency
        groupSizer = GroupSizer(least: least, most: configuration.group, aim: configuration.groupTime)
    }

    /// What its connections can do; no time where a message's does not tell how many must be at work.
    var capacity: Capacity { Capacity(time: isSequential ? groupSizer.service : 0, connections: places) }

    /// Lets so many groups more begin as ask Redis for their start, or report to it, while others use the connections.
    /// - Parameter distance: how long Redis takes to answer.
    func adapt(to distance: Duration) {
        let wanted = Self.places(connections: places, distance: distance, groupTime: groupSizer.aim)
        if limiter.count != wanted { limiter.resize(to: wanted) }
    }

    /// How many groups keep connections busy of which each waits for Redis once or twice, and takes so long by itself.
    static func places(connections: Int, distance: Duration, groupTime: Duration) -> Int {
        connections + Int(1.5 * Double(connections) * (distance / groupTime))
    }

    /// Messages that its connections use in about half a second: a group takes about a fifth of a second, and each place has its next one.
    /// - Parameter distance: how long Redis takes to answer.
    func prefetch(distance: Duration) -> Int { 2 * limiter.count * groupSizer.size(distance: distance) }

    /// Connects for the first time.
    func prepare() async throws(TransportError) -> ProviderCapabilities {
        let begun = clocks.monotonic
        do throws(TransportError) {
            let capabilities = try await transport.prepare()
            breaker.note(.init(successes: 1), problem: nil, since: begun)
            return capabilities
        } catch {
            breaker.note(
                .init(failures: 1),
                problem: ProviderResponse(action: error.action, stage: error.stage, code: 0, text: error.description), since: begun)
            throw error
        }
    }
}
