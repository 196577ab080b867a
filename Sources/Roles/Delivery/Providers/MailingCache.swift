import Broker
import Logging
import Model
import NIOCore
import Policy
import Signing
import Synchronization
import Templates
import Transport

/// The mailings that a worker has made ready, and its links to their providers; the shell of `MailingCacheState`.
actor MailingCache {
    enum Finding {
        case ready(PreparedMailing)
        /// The mailing has ended, or Redis lost it.
        case gone
        /// It cannot be sent by this worker; the text says why.
        case unfit(String)
        /// It is of a newer release, whose workers send it.
        case newer
    }

    private let published: PublishedMailings
    private let publishedLimits: PublishedLimits
    private let throttle: Throttle
    private let meters = ThrottleMeters()
    private let worker: WorkerContext
    private let group: any EventLoopGroup
    private let registry: WorkerRegistry
    private var limits: ActiveLimits { worker.limits }
    private var configuration: WorkerConfiguration { worker.configuration }
    private var state = MailingCacheState<PreparedMailing>()
    private var links: [String: ProviderLink] = [:]
    private var told: ToldShares?

    init(_ worker: WorkerContext, broker: Broker, group: any EventLoopGroup) {
        published = PublishedMailings(broker)
        publishedLimits = PublishedLimits(broker)
        throttle = Throttle(broker)
        registry = WorkerRegistry(broker)
        self.worker = worker
        self.group = group
    }

    /// The mailing as a channel sends it, made ready at the first call.
    /// - Parameter channel: that of the batch; nil for the first of its mailing.
    /// - Throws: `RedisError`, `WireError` where it has no content for the channel, or `TransportError` while its provider cannot be
    ///   reached.
    func mailing(_ id: MailingID, lane: Lane, by channel: Model.Channel? = nil) async throws -> Finding {
        let part = MailingPart(id, channel ?? lane.channel)
        if let known = state.ready[part] { return .ready(known) }
        let definition: MailingDefinition
        switch try await published.definition(id) {
        case .known(let known): definition = known
        case .gone:
            guard try await published.controls(id) != nil else { return .gone }
            throw RedisError.notPublished("mailing \(id)")
        case .unreadable(let why):
            // Another program may have written it: the dispatcher publishes it once more.
            guard state.noteUnreadable(id) else { return .unfit(why) }
            try await published.discardDefinition(id)
            throw RedisError.notPublished("mailing \(id)")
        case .newer: return .newer
        }
        guard try await published.controls(id) != nil else { return .gone }
        let first = definition.mailing
        guard let mailing = channel == nil ? first : definition.mailing(by: part.channel) else {
            throw WireError("its mailing has content for \(first.channel.rawValue), and it is sent by \(part.channel.rawValue)")
        }
        if mailing.tracking != nil, let fault = trackerFault(definition) { return .unfit(fault) }
        let provider: Provider
        do throws(ProviderURLError) { provider = try configured(mailing.provider) } catch {
            return .unfit("provider '\(mailing.provider)' is neither a name in this worker's flotilla.yaml nor a URL: \(error)")
        }
        let link = link(to: provider, key: mailing.provider, lane: lane)
        try await learnFleet()
        state.connect(part, to: provider.name)
        let capabilities = try await link.prepare()
        state.endConnecting(part)
        // Before its first message: what others have been asked for, and what operators have set.
        try await learn([.provider(provider.name)])
        guard limits.isKnown else { throw RedisError.notPublished("the limits") }
        // To connect may have taken long, and no refresh knew of the mailing meanwhile.
        guard let speed = try await published.controls(id)?.speed else { return .gone }
        if let known = state.ready[part] { return .ready(known) }
        do {
            let content = MailingDefinition(mailing, number: definition.number, tracker: definition.tracker)
            return .ready(state.add(part, try prepared(id, content, speed: speed, link, capabilities)))
        } catch let error as RedisError {
            throw error
        } catch {
            return .unfit("\(error)")
        }
    }

    /// Why nobody would answer the links that this worker writes into a mailing's messages; nil where nothing is known to be wrong.
    private func trackerFault(_ definition: MailingDefinition) -> String? {
        guard let tracker = configuration.tracker else {
            return "its messages have links to the tracker, and this worker has no tracker.url: set it as on the other roles"
        }
        let keys = tracker.keys
        return definition.tracker?.fault(urls: tracker.addresses.all, key: keys.number, check: keys.checkValues[keys.number])
    }

    /// The provider of a mailing, which names it as the configuration does, or by a URL.
    private func configured(_ name: String) throws(ProviderURLError) -> Provider {
        if let named = configuration.providers[name] { return named }
        return try ProviderURL.parse(name)
    }

    private func prepared(
        _ id: MailingID, _ definition: MailingDefinition, speed: String, _ link: ProviderLink, _ capabilities: ProviderCapabilities
    ) throws -> PreparedMailing {
        let made = try PreparedMailing(
            id: id, mailing: definition.mailing, speed: speed,
            PreparedMailing.Setting(
                link: link, capabilities: capabilities, alias: alias(of: link.provider),
                messages: .init(keys: configuration.keys, tracking: try tracking(id, definition), returns: configuration.returns),
                limits: limits
            ) { [throttle, meters, worker] domain in
                ReservationPool(
                    domain: domain, throttle: throttle, time: worker.time, meters: meters, changes: worker.changes,
                    waiting: worker.waiting)
            })
        if configuration.keys != nil, made.mailing.channel == .email, made.composer.signer == nil {
            worker.logger.warning(
                "e-mail of mailing \(id) is not signed: email.dkim has no key for the domain of its sender (docs/email.md)",
                metadata: ["mailing": "\(id)"])
        }
        return made
    }

    /// What signs a mailing's links to the tracker; nil where it has none.
    /// - Throws: `RedisError.notPublished` while the mailing's number is not there.
    private func tracking(_ id: MailingID, _ definition: MailingDefinition) throws(RedisError) -> MessageTracking? {
        guard let rules = definition.mailing.tracking, let tracker = configuration.tracker else { return nil }
        guard let number = definition.number else { throw .notPublished("the number of mailing \(id)") }
        let url = definition.tracker?.url ?? tracker.addresses.url(ofSender: definition.mailing.from)
        return MessageTracking(base: url, keys: tracker.keys, mailing: number, rules, mailDomain: tracker.mailDomain)
    }

    /// The one provider of the configuration that a URL leads to, too. Two accounts of one server have a name and limits each.
    private func alias(of provider: Provider) -> String? {
        guard configuration.providers[provider.name] == nil else { return nil }
        let same = configuration.providers.values.filter {
            $0.name != provider.name && ($0.scheme, $0.host, $0.port) == (provider.scheme, provider.host, provider.port)
        }
        return same.count == 1 ? same.first?.name : nil
    }

    /// - Parameter key: what the mailing calls the provider: two URLs of one host, with different users, are two.
    private func link(to provider: Provider, key: String, lane: Lane) -> ProviderLink {
        if let known = links[key] {
            watch(lane, known)
            return known
        }
        var provider = provider
        let grant = worker.connections.grant(provider.connections)
        if grant.connections < provider.connections {
            worker.logger.error(
                """
                provider \(provider.name) gets \(grant.connections) connections in place of \(provider.connections), for this process may \
                open no more files: raise its limit (ulimit -n, or LimitNOFILE of its systemd unit), or lower `connections`
                """, metadata: ["provider": "\(provider.name)"])
        }
        (provider.connections, provider.lateConnections) = (grant.connections, grant.late)
        let made = ProviderLink(provider, worker: worker, group: group)
        watch(lane, made)
        links[key] = made
        return made
    }

    /// Lets nothing be taken from a lane while its provider's circuit breaker is open. Each channel that uses the provider has its own
    /// lane.
    private func watch(_ lane: Lane, _ link: ProviderLink) {
        worker.prefetch.watch(lane) { [breaker = link.breaker] in breaker.nextProbe }
    }

    /// Takes over what operators changed of some mailings, or of all for nil, and forgets mailings that no longer exist.
    func refresh(_ some: Set<MailingID>? = nil) async throws(RedisError) {
        let known = state.known(among: some)
        var isChanged = false
        for (id, controls) in zip(known, try await published.controls(known)) {
            guard let controls else {
                for mailing in state.remove(id) { mailing.halt(at: worker.clocks.now) }
                isChanged = true
                continue
            }
            for mailing in state.parts(of: id) {
                do {
                    if try mailing.update(state: controls.state, speed: controls.speed, at: worker.clocks.now) { isChanged = true }
                } catch {
                    worker.logger.error(
                        "mailing \(id): speed '\(controls.speed)' is not valid and stays as it was: \(error)",
                        metadata: ["mailing": "\(id)"])
                }
            }
        }
        if isChanged { worker.changes.notify() }
    }

    /// Exchanges adaptive rates with the fleet, and takes over changed limits.
    func exchange() async throws(RedisError) {
        let connecting = Array(state.connecting.keys)
        for (part, controls) in zip(connecting, try await published.controls(connecting.map(\.mailing)))
        where controls?.state != .sending {
            state.endConnecting(part)
        }
        try await learn()
        try await learnFleet()
        for mailing in state.ready.values { mailing.refreshLimits() }
        let needed = Set(state.ready.values.map(\.provider)).union(state.connecting.values)
        for link in links.values where !needed.contains(link.provider.name) { link.breaker.forget() }
    }

    /// Asks how many workers there are: they share the attempts to connect to a provider.
    private func learnFleet() async throws(RedisError) {
        guard state.isFleetDue(at: worker.clocks.now) else { return }
        worker.fleet.store(try await registry.count(), ordering: .relaxed)
    }

    /// Mailings that are ready.
    var count: Int { state.ready.count }

    /// No mailing is known here, and none waits for its provider or its definition.
    var isIdle: Bool { state.isIdle }

    /// Asks what limits sends now.
    /// - Parameter more: scopes besides those of the mailings here.
    private func learn(_ more: Set<LimitScope> = []) async throws(RedisError) {
        // A Redis that has lost them changes nothing.
        if let overrides = try await publishedLimits.limits() { limits.take(overrides) }
        limits.take(slowed: try await worker.rates.exchange(scopes.union(more)))
    }

    /// The scopes that can have an adaptive rate.
    private var scopes: Set<LimitScope> {
        Set(state.ready.values.map { LimitScope.provider($0.provider) }).union(limits.domains.scopes)
    }

    /// `shares` as they were asked for last.
    private struct ToldShares {
        var shares: [String: Heartbeat.Share]
        var changes: [Int]
        var at: ContinuousClock.Instant
    }

    /// The waiting messages of each mailing, and what they wait for. Thousands of mailings that wait are looked at again only after a
    /// change, or after a while.
    var shares: [String: Heartbeat.Share] {
        let changes = [worker.waiting.count, worker.changes.version, state.ready.count]
        let moves = worker.transmitting.load(ordering: .relaxed) > 0 || limits.isSlowed || !state.connecting.isEmpty
        if !moves, let told, told.changes == changes, worker.clocks.now - told.at < Timing.longestShares { return told.shares }
        let shares = currentShares
        told = moves ? nil : ToldShares(shares: shares, changes: changes, at: worker.clocks.now)
        return shares
    }

    private var currentShares: [String: Heartbeat.Share] {
        // Of a mailing with several channels the one of which more waits.
        var shares = Dictionary(state.ready.values.map { ($0.name, $0.share) }) { $0.waiting < $1.waiting ? $1 : $0 }
        if state.connecting.isEmpty { return shares }
        let troubled = Set(links.values.map(\.breaker).filter(\.hasTrouble).map(\.name))
        for (part, provider) in state.connecting where troubled.contains(provider) {
            shares["\(part.mailing)"] = Heartbeat.Share(isDown: true)
        }
        return shares
    }

    /// What a mailing does with messages that may have arrived; nil when it has ended.
    func policy(of id: MailingID) async throws(RedisError) -> Mailing.UncertainPolicy? {
        if let known = state.parts(of: id).first { return known.mailing.uncertain }
        switch try await published.definition(id) {
        case .known(let known): return known.mailing.uncertain
        case .gone: return nil
        // Nothing is sent twice that may not be.
        case .unreadable, .newer: return .hold
        }
    }

    /// Whether a mailing that is not ready yet is still to be sent, as far as Redis can be asked.
    func isSending(_ id: MailingID) async -> Bool {
        do throws(RedisError) { return try await published.controls(id)?.state == .sending } catch { return true }
    }

    /// Ends all connections at once.
    func abort() {
        for link in links.values { link.transport.abort() }
    }

    func close() async {
        for link in links.values { await link.transport.close() }
    }
}
