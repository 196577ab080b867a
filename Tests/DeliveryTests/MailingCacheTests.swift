import Logging
import Model
import NIOPosix
import Policy
import Sink
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// The mailings of a worker, between a real Redis and providers.
@Suite(.timeLimit(.minutes(5)))
struct MailingCacheTests {
    private let server: RedisServer
    private let broker: Broker
    private let sink: RunningSink
    private let worker: WorkerContext
    private let cache: MailingCache
    private let manual = ManualClocks()
    private let token = FencingToken(ledger: "ledger", number: 1)
    private let id: MailingID
    private let url: String
    private var lane: Lane { Lane(channel: .email, provider: url) }
    private var published: PublishedMailings { PublishedMailings(broker) }

    init() async throws {
        server = try await RedisServer()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        sink = try await SinkServer.start(
            configuration: SinkConfiguration(listeners: [.init(scheme: .smtp), .init(scheme: .http)]), logger: logger)
        url = "smtp://127.0.0.1:\(sink.port(.smtp) ?? 0)"
        var configuration = WorkerConfiguration(id: "a", hostname: "localhost")
        for name in ["gateway", "account"] {
            configuration.providers[name] = Provider(name: name, scheme: .http, host: "127.0.0.1", port: sink.port(.http) ?? 0, path: "/")
        }
        configuration.providers["relay"] = Provider(name: "relay", scheme: .smtp, host: "127.0.0.1", port: sink.port(.smtp) ?? 0)
        worker = WorkerContext(configuration: configuration, broker: broker, clocks: manual.clocks, logger: logger)
        cache = MailingCache(worker, broker: broker, group: .singletonMultiThreadedEventLoopGroup)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        let epochs = EpochStore(broker)
        let found = try await epochs.hold(token, time: .seconds(250))
        _ = try await epochs.establish(after: found, fencingToken: token)
        try await PublishedLimits(broker).publishLimits([:], fencingToken: token)
    }

    private func publish(
        _ id: MailingID? = nil, _ state: MailingState = .sending, speed: String = "", provider: String? = nil, channel: Channel = .email,
        text: String = "t"
    ) async throws {
        var mailing = Mailing(name: "m", channel: channel, provider: provider ?? url)
        mailing.from = "a@example.com"
        mailing.subject = .init(source: "s")
        mailing.text = .init(source: text)
        mailing.body = .init(source: "{}")
        mailing.uncertain = .redeliver
        try await published.publish(
            [.init(id: id ?? self.id, definition: mailing, state: state, speed: speed)], fencingToken: token)
    }

    private func ready(_ id: MailingID? = nil, _ lane: Lane? = nil) async throws -> PreparedMailing? {
        try await Self.ready(cache, id ?? self.id, lane ?? self.lane)
    }

    private static func ready(_ cache: MailingCache, _ id: MailingID, _ lane: Lane) async throws -> PreparedMailing? {
        guard case .ready(let mailing) = try await cache.mailing(id, lane: lane) else { return nil }
        return mailing
    }

    private func end() async {
        await cache.close()
        await sink.stop()
        await broker.close()
    }

    @Test func aMailingIsMadeReadyChangedPausedAndForgotten() async throws {
        guard case .gone = try await cache.mailing(id, lane: lane) else { throw TimedOut(description: "it is not gone") }
        #expect(await cache.isIdle)
        try await publish(speed: "5/s")
        let mailing = try #require(try await ready())
        #expect(await !cache.isIdle && mailing.isSending && mailing.perSecond == 5)
        #expect(try await ready() === mailing)

        #expect(try await published.order(id, state: .paused, speed: "8/s"))
        try await cache.refresh([])
        #expect(mailing.isSending)
        try await cache.refresh([id])
        #expect(!mailing.isSending && mailing.perSecond == 8)
        // A speed that is none leaves the one before, and the state is taken over.
        #expect(try await published.order(id, state: .sending, speed: "fast"))
        try await cache.refresh()
        #expect(mailing.isSending && mailing.perSecond == 8)

        try await published.remove(id, fencingToken: token)
        try await cache.refresh()
        #expect(await cache.isIdle && !mailing.isSending)
        guard case .gone = try await cache.mailing(id, lane: lane) else { throw TimedOut(description: "it is not gone") }
        await end()
    }

    @Test func batchesThatComeAtOnceUseOneMailing() async throws {
        try await publish()
        let (cache, id, lane) = (cache, id, lane)
        let found = try await withThrowingTaskGroup(of: ObjectIdentifier?.self) { group in
            for _ in 0..<8 { group.addTask { try await Self.ready(cache, id, lane).map { ObjectIdentifier($0) } } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found.count == 8 && Set(found).count == 1 && !found.contains(nil))
        await end()
    }

    /// What a worker holds is bounded by what is published: nothing stays of mailings that have ended.
    @Test func nothingStaysOfMailingsThatHaveEnded() async throws {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<3 {
            let ids = (0..<10).map { MailingID(milliseconds: Clock.milliseconds() + Int64($0), using: &generator) }
            for id in ids {
                try await publish(id)
                #expect(try await ready(id) != nil)
            }
            #expect(await cache.shares.count == 10, "round \(round)")
            for id in ids { try await published.remove(id, fencingToken: token) }
            try await cache.refresh()
            #expect(await cache.isIdle)
        }
        await end()
    }

    /// Mailings that wait are looked at only after a change: each kind of change shows at once.
    @Test func whatMailingsWaitForIsToldAfterEachChange() async throws {
        try await publish()
        let mailing = try #require(try await ready())
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "a@example.com"])
        let (pool, _) = try #require(mailing.kinds(of: [OpenRecipient(index: 0, attempts: 0)], recipients).first)
        let before = await cache.shares[mailing.name]
        #expect(before == Heartbeat.Share())
        #expect(await cache.shares[mailing.name] == before)
        pool.expect(3)
        #expect(await cache.shares[mailing.name]?.waiting == 3)
        #expect(try await published.order(id, state: .sending, speed: "5/s"))
        try await cache.refresh([id])
        #expect(await cache.shares[mailing.name]?.scope == .mailing(mailing.name))
        mailing.link.breaker.note(CircuitBreaker.Evidence(failures: 50), problem: nil, since: Clock.monotonic(), probe: nil)
        #expect(await cache.shares[mailing.name]?.isDown == mailing.link.breaker.isOpen)
        pool.expect(-3)
        #expect(await cache.shares[mailing.name]?.waiting == 0)
        await end()
    }

    @Test func aProviderThatIsNotThereIsWaitedForAsLongAsTheMailingIsSent() async throws {
        let port = try freePort()
        try await publish(provider: "smtp://127.0.0.1:\(port)")
        await #expect(throws: (any Error).self) { try await cache.mailing(id, lane: lane) }
        #expect(await !cache.isIdle)
        try await cache.exchange()
        #expect(await !cache.isIdle)
        #expect(await cache.isSending(id))
        #expect(try await published.order(id, state: .paused, speed: ""))
        try await cache.exchange()
        #expect(await cache.isIdle)
        #expect(await !cache.isSending(id))
        await end()
    }

    /// Between the question for its definition and the provider's greeting nobody else knows of the mailing.
    @Test func whatChangesWhileItConnectsHolds() async throws {
        let gate = try await GatedServer()
        try await publish(speed: "5/s", provider: "smtp://127.0.0.1:\(gate.port)")
        let (cache, id, lane) = (cache, id, lane)
        async let found = Self.ready(cache, id, lane)
        try await eventually("it connects") { await !cache.isIdle }
        #expect(try await published.order(id, state: .sending, speed: "8/s"))
        try await cache.refresh()
        gate.open()
        let mailing = try await found
        #expect(mailing?.perSecond == 8)
        await end()
        try await gate.close()
    }

    @Test func aMailingThatEndsWhileItConnectsIsGone() async throws {
        let gate = try await GatedServer()
        try await publish(provider: "smtp://127.0.0.1:\(gate.port)")
        let (cache, id, lane) = (cache, id, lane)
        async let found = Self.ready(cache, id, lane)
        try await eventually("it connects") { await !cache.isIdle }
        try await published.remove(id, fencingToken: token)
        gate.open()
        let mailing = try await found
        #expect(mailing.map { ObjectIdentifier($0) } == nil)
        #expect(await cache.isIdle)
        await end()
        try await gate.close()
    }

    @Test func aDefinitionThatCannotBeReadIsAwaitedOnce() async throws {
        let key = broker.keys.mailing(id)
        try await publish()
        for isFirst in [true, false] {
            _ = try await broker.redis.send(["HSET", .text(key), "definition", "nonsense"])
            #expect(try await cache.policy(of: id) == .hold)
            if isFirst {
                await #expect(throws: RedisError.self) { try await cache.mailing(id, lane: lane) }
                #expect(try await broker.redis.send(["HEXISTS", .text(key), "definition"]).int == 0)
                // It is not published again yet.
                await #expect(throws: RedisError.self) { try await cache.mailing(id, lane: lane) }
            } else {
                guard case .unfit = try await cache.mailing(id, lane: lane) else { throw TimedOut(description: "it is fit") }
            }
        }
        try await publish()
        #expect(try await ready() != nil)
        #expect(try await cache.policy(of: id) == .redeliver)
        try await published.remove(id, fencingToken: token)
        try await cache.refresh()
        #expect(try await cache.policy(of: id) == nil)
        await end()
    }

    @Test(arguments: ["nowhere", "ftp://127.0.0.1"]) func aProviderThatIsNoneIsSaid(provider: String) async throws {
        try await publish(provider: provider)
        guard case .unfit(let why) = try await cache.mailing(id, lane: lane) else { throw TimedOut(description: "it is fit") }
        #expect(why.contains("'\(provider)'"))
        #expect(await cache.isIdle)
        await end()
    }

    @Test func aMailingThatCannotBeComposedIsUnfitAndOthersAreNot() async throws {
        try await publish(text: "{{#nobody}}")
        guard case .unfit = try await cache.mailing(id, lane: lane) else { throw TimedOut(description: "it is fit") }
        #expect(await cache.isIdle)
        try await publish()
        #expect(try await ready() != nil)
        await end()
    }

    @Test func nothingIsSentBeforeTheLimitsAreKnown() async throws {
        try await publish()
        _ = try await broker.redis.send(["DEL", .text(broker.keys.limits)])
        await #expect(throws: RedisError.self) { try await cache.mailing(id, lane: lane) }
        try await PublishedLimits(broker).publishLimits(["provider:gateway": "5/s"], fencingToken: token)
        #expect(try await ready() != nil)
        await end()
    }

    /// Two accounts of one server have limits each; who names the server by its URL has those of its name.
    @Test func theLimitsOfAnotherNameOfTheServerDoNotHold() async throws {
        try await publish(provider: "gateway", channel: .sms)
        #expect(try await ready(nil, Lane(channel: .sms, provider: "gateway"))?.alias == nil)
        var generator = SystemRandomNumberGenerator()
        let other = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await publish(other)
        #expect(try await ready(other)?.alias == "relay")
        await end()
    }

    @Test func eachBatchGetsTheContentOfItsChannel() async throws {
        var mailing = Mailing(name: "m", channel: .email, provider: url)
        (mailing.from, mailing.subject, mailing.text) = ("a@example.com", .init(source: "s"), .init(source: "t"))
        var content = MailingContent(provider: "gateway", fields: ["id", "address", "code"])
        content.text = .init(source: "{{code}}")
        var publication = PublishedMailings.Publication(id: id, definition: mailing, state: .sending, speed: "")
        publication.contents = [.sms: content]
        try await published.publish([publication], fencingToken: token)
        guard case .ready(let mail) = try await cache.mailing(id, lane: lane, by: .email),
            case .ready(let sms) = try await cache.mailing(id, lane: Lane(channel: .sms, provider: "gateway"), by: .sms)
        else { throw TimedOut(description: "it is not ready") }
        #expect(mail.mailing == mailing && mail.link.provider.name != "gateway")
        #expect(sms.mailing == mailing.sent(by: .sms, content) && sms.link.provider.name == "gateway")
        #expect(try await ready() === mail)
        await #expect(throws: WireError.self) { try await cache.mailing(id, lane: lane, by: .webhook) }
        // An order holds for all channels.
        #expect(try await published.order(id, state: .paused, speed: "8/s"))
        try await cache.refresh([id])
        #expect(!mail.isSending && !sms.isSending && mail.perSecond == 8 && sms.perSecond == 8)
        #expect(await cache.shares.count == 1)
        await end()
    }

    /// Two channels of one provider have a lane each, and one circuit breaker.
    @Test func anOpenCircuitBreakerHoldsBackEachLaneOfItsProvider() async throws {
        var generator = SystemRandomNumberGenerator()
        var link: ProviderLink?
        let lanes = [Channel.webhook, .sms].map { Lane(channel: $0, provider: "gateway") }
        for lane in lanes {
            let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
            try await publish(id, provider: "gateway", channel: lane.channel)
            let mailing = try #require(try await ready(id, lane))
            #expect(link == nil || link === mailing.link)
            link = mailing.link
        }
        let down = ProviderResponse(action: .reconnect, stage: .connect, code: 0, text: "connection refused")
        for _ in 0..<10 { link?.breaker.note(.init(failures: 1), problem: down, since: worker.clocks.monotonic) }
        #expect(link?.breaker.isOpen == true)
        for lane in lanes { worker.prefetch.offer(lane) }
        // A probe is due after a second at the earliest.
        #expect(worker.prefetch.wants().isEmpty)
        await end()
    }

    @Test func theSizeOfTheFleetIsAskedForNowAndThen() async throws {
        let registry = WorkerRegistry(broker)
        _ = try await registry.renew("a", lease: .seconds(250), condition: .clean, losses: 0, isKnown: false)
        try await cache.exchange()
        #expect(worker.fleet.load(ordering: .relaxed) == 1)
        _ = try await registry.renew("b", lease: .seconds(250), condition: .clean, losses: 0, isKnown: false)
        manual.pass(MailingCacheState<PreparedMailing>.fleetInterval - .milliseconds(1))
        try await cache.exchange()
        #expect(worker.fleet.load(ordering: .relaxed) == 1)
        manual.pass(.milliseconds(1))
        try await cache.exchange()
        #expect(worker.fleet.load(ordering: .relaxed) == 2)
        await end()
    }
}
