import Broker
import Model
import Policy
import Synchronization
import Templates
import Transport

/// A mailing made ready to be sent: templates compiled, provider connected, limits known.
final class PreparedMailing: Sendable {
    enum Composer: Sendable {
        case email(EmailComposer)
        case body(BodyComposer)
    }

    /// What an operator may change while the mailing is sent.
    private struct Controls {
        var state: MailingState
        var speed: RateLimit?
        /// The slots of its kinds of send: those to each of the domains that are a scope (by their place in the table), and all others.
        var pools: [Int?: ReservationPool] = [:]
        /// Halted here, and the board does not know it yet.
        var haltedAt: ContinuousClock.Instant?
        var isHalted: Bool { haltedAt != nil }
    }

    /// After which a halt is over that the board never showed: somebody resumed the mailing faster than it could be seen.
    private static let haltTime = Duration.seconds(5)

    let id: MailingID
    let mailing: Mailing
    let provider: String
    /// The configuration's name for a provider that the mailing names by its URL: its limits hold too.
    let alias: String?
    let composer: Composer
    let sender: String
    let transport: any DeliveryTransport
    let capabilities: ProviderCapabilities
    let lanes: ConcurrencyLimiter
    let breaker: ProviderCircuitBreaker
    let groupSize: GroupSizer
    /// A connection takes one message at a time, so that groups are what goes in parallel.
    let isSequential: Bool
    private let limits: ActiveLimits
    private let makePool: @Sendable (_ domain: String?) -> ReservationPool
    private let controls: Mutex<Controls>

    init(
        id: MailingID, mailing: Mailing, speed: String, provider: Provider, alias: String?, hostname: String,
        transport: any DeliveryTransport, capabilities: ProviderCapabilities, lanes: ConcurrencyLimiter,
        breaker: ProviderCircuitBreaker, groupSize: GroupSizer, limits: ActiveLimits,
        makePool: @escaping @Sendable (_ domain: String?) -> ReservationPool
    ) throws {
        self.id = id
        self.mailing = mailing
        self.provider = provider.name
        self.alias = alias
        self.transport = transport
        self.capabilities = capabilities
        self.lanes = lanes
        self.breaker = breaker
        self.groupSize = groupSize
        isSequential = provider.scheme == .smtp || provider.scheme == .smtps
        self.limits = limits
        self.makePool = makePool
        switch mailing.channel {
        case .email:
            composer = .email(try EmailComposer(mailing: mailing, domain: hostname))
            sender = EmailComposer.senderAddress(of: mailing.from) ?? ""
        case .sms, .messenger:
            composer = .body(try BodyComposer(gateway: mailing, body: provider.body))
            sender = mailing.from
        case .webhook:
            composer = .body(try BodyComposer(template: mailing.body, fields: mailing.fields, nested: mailing.nestedFields))
            sender = ""
        }
        controls = Mutex(Controls(state: .sending, speed: try Self.limit(speed)))
    }

    /// Messages of the mailing may begin, as far as the last look at the board told.
    var isSending: Bool { controls.withLock { $0.state == .sending && !$0.isHalted } }

    /// What its connections can do; no time where a message's does not tell how many must be at work.
    var capacity: Capacity { Capacity(time: isSequential ? groupSize.service : 0, connections: lanes.count) }

    /// Messages that keep its connections busy while more are fetched: what each does in two groups' time.
    var load: Int { 2 * lanes.count * groupSize.now }

    /// What waits here, and for what.
    var share: Heartbeat.Share {
        let pools = controls.withLock { $0.pools.values.map(\.share) }
        var share = pools.max { ($0.waiting, $0.interval) < ($1.waiting, $1.interval) } ?? Heartbeat.Share()
        share.waiting = pools.reduce(0) { $0 + $1.waiting }
        share.isDown = breaker.isOpen
        if let asked = limits.pause(of: own) { (share.scope, share.pause) = asked }
        return share
    }

    /// There is a limit now on some of its sends, so that a batch of it may wait.
    var isLimited: Bool { controls.withLock { $0.speed != nil || $0.pools.values.contains(where: \.isActive) } }

    /// The recipients of a batch by kind of send, each with its slots.
    func kinds(of open: [OpenRecipient], _ recipients: Recipients) -> [(ReservationPool, [OpenRecipient])] {
        guard mailing.channel == .email, !limits.domains.scopes.isEmpty else { return [(pool(nil), open)] }
        var kinds: [Int?: [OpenRecipient]] = [:]
        recipients.bytes.withUnsafeBufferPointer { bytes in
            for item in open {
                let address = UnsafeBufferPointer(rebasing: bytes[recipients.range(item.index, 1)])
                kinds[limits.domains.entry(of: address), default: []].append(item)
            }
        }
        return kinds.map { (pool($0), $1) }
    }

    private func pool(_ domain: Int?) -> ReservationPool {
        controls.withLock { controls in
            if let known = controls.pools[domain] { return known }
            let made = makePool(domain.map { limits.domains.scopes[$0] })
            let (scopes, paces) = scopes(domain, controls.speed)
            made.update(scopes, paces: paces)
            controls.pools[domain] = made
            return made
        }
    }

    private func scopes(_ domain: Int?, _ speed: RateLimit?) -> (scopes: [Throttle.Scope], paces: [String: Double]) {
        let name = domain.flatMap { LimitScope(limits.domains.scopes[$0]) }
        return limits.scopes(of: own + [.channel(mailing.channel), .mailing("\(id)")] + (name.map { [$0] } ?? []), speed: speed)
    }

    /// The scopes of its provider.
    private var own: [LimitScope] { (alias.map { [.provider($0)] } ?? []) + [.provider(provider)] }

    /// Takes over limits that have changed.
    func refreshLimits() {
        controls.withLock { controls in
            for (domain, pool) in controls.pools {
                let (scopes, paces) = scopes(domain, controls.speed)
                pool.update(scopes, paces: paces)
            }
        }
    }

    /// Gives up slots that were reserved: the provider, or one of its domains, asks for a pause.
    func clearSlots() {
        controls.withLock { for pool in $0.pools.values { pool.clear() } }
    }

    func update(state: MailingState, speed: String) throws {
        controls.withLock { controls in
            if let since = controls.haltedAt, state != .sending || ContinuousClock.now - since > Self.haltTime {
                controls.haltedAt = nil
            }
            controls.state = state
        }
        let limit = try Self.limit(speed)
        controls.withLock { $0.speed = limit }
    }

    /// Lets no further message begin here until the board has shown a pause and its end.
    func halt() {
        controls.withLock { $0.haltedAt = .now }
    }

    private static func limit(_ speed: String) throws(RateLimitError) -> RateLimit? {
        speed.isEmpty ? nil : try RateLimit(speed)
    }

    /// Appends one message's text, as the transport wants it.
    /// - Parameter date: milliseconds since 1970.
    func compose(_ recipients: Recipients, row: Int, batch: BatchID, date: Int64, into bytes: inout [UInt8]) {
        switch composer {
        case .email(let composer):
            composer.compose(
                recipients, row: row, of: batch, date: date,
                for: EmailComposer.Server(eightBitMIME: capabilities.eightBitMIME, smtpUTF8: capabilities.smtpUTF8), into: &bytes)
        case .body(let composer):
            composer.compose(recipients, row: row, into: &bytes)
        }
    }
}
