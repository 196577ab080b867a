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
        var scope: Throttle.Scope?
        /// Halted here, and the board does not know it yet.
        var haltedAt: ContinuousClock.Instant?
        var isHalted: Bool { haltedAt != nil }
    }

    /// After which a halt is over that the board never showed: somebody resumed the mailing faster than it could be seen.
    private static let haltTime = Duration.seconds(5)

    let id: MailingID
    let mailing: Mailing
    let provider: String
    let composer: Composer
    let sender: String
    let transport: any DeliveryTransport
    let capabilities: ProviderCapabilities
    let lanes: Lanes
    let groupSize: GroupSize
    private let controls: Mutex<Controls>

    init(
        id: MailingID, mailing: Mailing, speed: String, provider: Provider, hostname: String,
        transport: any DeliveryTransport, capabilities: ProviderCapabilities, lanes: Lanes,
        groupSize: GroupSize
    ) throws {
        self.id = id
        self.mailing = mailing
        self.provider = provider.name
        self.transport = transport
        self.capabilities = capabilities
        self.lanes = lanes
        self.groupSize = groupSize
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
        controls = Mutex(Controls(state: .sending, scope: try Self.scope(id, speed)))
    }

    /// Messages of the mailing may begin, as far as the last look at the board told.
    var isSending: Bool { controls.withLock { $0.state == .sending && !$0.isHalted } }

    /// The mailing's own limit.
    var scope: Throttle.Scope? { controls.withLock { $0.scope } }

    func update(state: MailingState, speed: String) throws {
        let scope = try Self.scope(id, speed)
        controls.withLock { controls in
            if let since = controls.haltedAt, state != .sending || ContinuousClock.now - since > Self.haltTime {
                controls.haltedAt = nil
            }
            controls.state = state
            controls.scope = scope
        }
    }

    /// Lets no further message begin here until the board has shown a pause and its end.
    func halt() {
        controls.withLock { $0.haltedAt = .now }
    }

    private static func scope(_ id: MailingID, _ speed: String) throws -> Throttle.Scope? {
        guard !speed.isEmpty else { return nil }
        let limit = try RateLimit(speed)
        return Throttle.Scope(name: "mailing:\(id)", interval: 1e6 / limit.perSecond, burst: Int(limit.burst))
    }

    /// Appends one message's text, as the transport wants it.
    /// - Parameter date: milliseconds since 1970.
    func compose(_ recipients: Recipients, row: Int, batch: BatchID, date: Int64, into bytes: inout [UInt8]) {
        switch composer {
        case .email(let composer):
            composer.compose(
                recipients, row: row, batch: batch, index: row, date: date, eightBit: capabilities.eightBitMIME,
                smtpUTF8: capabilities.smtpUTF8, into: &bytes)
        case .body(let composer):
            composer.compose(recipients, row: row, into: &bytes)
        }
    }
}
