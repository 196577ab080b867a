import Broker
import Logging
import Model
import NIOCore
import Policy
import Synchronization
import Transport

/// The mailings that a worker has made ready, and the connections to their providers.
actor MailingCache {
    enum Finding {
        case ready(PreparedMailing)
        /// The mailing has ended, or Redis lost it.
        case gone
        /// It cannot be sent by this worker; the text says why.
        case unfit(String)
    }

    private let board: PublishedMailings
    private let limitBoard: PublishedLimits
    private let throttle: Throttle
    private let limits: ActiveLimits
    private let paces: AdaptiveRateController
    private let clock: SharedTime
    private let meters = ThrottleMeters()
    private let configuration: WorkerConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private var mailings: [MailingID: PreparedMailing] = [:]
    /// Providers of mailings that are not ready yet.
    private var waiting: [MailingID: String] = [:]
    private var transports: [String: Way] = [:]

    /// The way to a provider.
    private struct Way {
        let transport: any DeliveryTransport
        let lanes: ConcurrencyLimiter
        let breaker: ProviderCircuitBreaker
        let groupSize: GroupSizer
    }

    init(
        board: PublishedMailings, limitBoard: PublishedLimits, throttle: Throttle, limits: ActiveLimits, paces: AdaptiveRateController,
        time: SharedTime,
        configuration: WorkerConfiguration, group: any EventLoopGroup, logger: Logger
    ) {
        self.board = board
        self.limitBoard = limitBoard
        self.throttle = throttle
        self.limits = limits
        self.paces = paces
        clock = time
        self.configuration = configuration
        self.group = group
        self.logger = logger
    }

    /// The mailing, made ready at the first call.
    /// - Throws: `RedisError`, or `TransportError` while its provider cannot be reached.
    func mailing(_ id: MailingID) async throws -> Finding {
        if let known = mailings[id] { return .ready(known) }
        guard let mailing = try await board.definition(id), let speed = try await board.controls(id)?.speed else { return .gone }
        let provider: Provider
        do throws(ProviderURLError) {
            if let named = configuration.providers[mailing.provider] {
                provider = named
            } else {
                provider = try ProviderURL.parse(mailing.provider)
            }
        } catch {
            return .unfit("provider '\(mailing.provider)' is neither a name in this worker's flotilla.yaml nor a URL: \(error)")
        }
        let way = way(to: provider, key: mailing.provider)
        waiting[id] = provider.name
        let capabilities = try await capabilities(way)
        waiting[id] = nil
        // Before its first message: what others have been asked for, and what operators have set.
        try await learn([LimitScope.provider(provider.name).description])
        guard limits.isKnown else { throw RedisError.void }
        if let known = mailings[id] { return .ready(known) }
        do {
            let ready = try PreparedMailing(
                id: id, mailing: mailing, speed: speed, provider: provider, alias: alias(of: provider),
                hostname: configuration.hostname, transport: way.transport, capabilities: capabilities, lanes: way.lanes,
                breaker: way.breaker,
                groupSize: way.groupSize, limits: limits
            ) { [throttle, clock, meters] domain in
                ReservationPool(domain: domain, throttle: throttle, clock: clock, meters: meters)
            }
            mailings[id] = ready
            return .ready(ready)
        } catch {
            return .unfit("\(error)")
        }
    }

    /// The one provider of the configuration that a URL leads to, too.
    private func alias(of provider: Provider) -> String? {
        let same = configuration.providers.values.filter {
            $0.name != provider.name && ($0.scheme, $0.host, $0.port) == (provider.scheme, provider.host, provider.port)
        }
        return same.count == 1 ? same.first?.name : nil
    }

    /// Connects to a mailing's provider for the first time.
    private func capabilities(_ way: Way) async throws(TransportError) -> ProviderCapabilities {
        do throws(TransportError) {
            let capabilities = try await way.transport.prepare()
            way.breaker.note(isFruitful: true, failures: 0, problem: nil, probe: nil)
            return capabilities
        } catch {
            way.breaker.note(
                isFruitful: false, failures: 1,
                problem: ProviderResponse(kind: error.kind, stage: error.stage, code: 0, text: error.description), probe: nil)
            throw error
        }
    }

    /// - Parameter key: what the mailing calls the provider: two URLs of one host are two.
    private func way(to provider: Provider, key: String) -> Way {
        if let known = transports[key] { return known }
        let made = TransportFactory.make(
            provider, hostname: configuration.hostname, responses: configuration.responses, group: group, logger: logger)
        // An SMTP connection has a group to itself: more groups than connections would only be begun earlier.
        let places = isSMTP(provider) ? min(configuration.concurrency, provider.connections) : configuration.concurrency
        let way = Way(
            transport: made, lanes: ConcurrencyLimiter(places),
            breaker: ProviderCircuitBreaker(provider, health: configuration.health, logger: logger),
            groupSize: GroupSizer(least: leastGroup(provider), most: configuration.group))
        transports[key] = way
        return way
    }

    private func isSMTP(_ provider: Provider) -> Bool { provider.scheme == .smtp || provider.scheme == .smtps }

    /// The requests of an HTTP group are spread over all connections.
    private func leastGroup(_ provider: Provider) -> Int {
        isSMTP(provider) ? 1 : (provider.connections + configuration.concurrency - 1) / configuration.concurrency
    }

    /// Looks at the board, and takes over what operators changed; forgets mailings that are gone.
    func refresh() async throws(RedisError) {
        for id in waiting.keys where try await board.controls(id)?.state != .sending { waiting[id] = nil }
        for (id, mailing) in mailings {
            guard let (state, speed) = try await board.controls(id) else {
                mailings[id] = nil
                mailing.halt()
                continue
            }
            do {
                try mailing.update(state: state, speed: speed)
            } catch {
                logger.error(
                    "mailing \(id): speed '\(speed)' is not valid and stays as it was: \(error)", metadata: ["mailing": "\(id)"])
            }
        }
        try await learn()
        for mailing in mailings.values { mailing.refreshLimits() }
        let needed = Set(mailings.values.map(\.provider)).union(waiting.values)
        for way in transports.values where !needed.contains(way.breaker.name) { way.breaker.forget() }
    }

    /// Asks what limits sends now.
    /// - Parameter more: scopes besides those of the mailings here.
    private func learn(_ more: Set<String> = []) async throws(RedisError) {
        // A Redis that has lost them changes nothing.
        if let overrides = try await limitBoard.limits() { limits.take(overrides) }
        limits.take(slowed: try await paces.exchange(scopes.union(more)))
    }

    /// The scopes that can have a pace.
    private var scopes: Set<String> {
        Set(mailings.values.map { LimitScope.provider($0.provider).description }).union(limits.domains.scopes)
    }

    /// What waits of each mailing, and for what.
    var shares: [String: Heartbeat.Share] {
        var shares = Dictionary(uniqueKeysWithValues: mailings.map { ("\($0.key)", $0.value.share) })
        let troubled = Set(transports.values.map(\.breaker).filter(\.hasTrouble).map(\.name))
        for (id, provider) in waiting where troubled.contains(provider) { shares["\(id)"] = Heartbeat.Share(isDown: true) }
        return shares
    }

    /// What a mailing wants of messages that may have arrived; nil when it has ended.
    func policy(of id: MailingID) async throws(RedisError) -> Mailing.UncertainPolicy? {
        if let known = mailings[id] { return known.mailing.uncertain }
        return try await board.definition(id)?.uncertain
    }

    /// Whether a mailing that is not ready yet is still to be sent, as far as Redis can be asked.
    func isSending(_ id: MailingID) async -> Bool {
        do throws(RedisError) { return try await board.controls(id)?.state == .sending } catch { return true }
    }

    /// Ends all connections at once.
    func abort() {
        for way in transports.values { way.transport.abort() }
    }

    func close() async {
        for way in transports.values { await way.transport.close() }
    }
}
