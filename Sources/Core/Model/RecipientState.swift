/// The state of one recipient of a mailing. The raw value is the character that packed states use, one a recipient.
package enum RecipientState: Character, Sendable, CaseIterable {
    /// Known, and no attempt has ended yet.
    case planned = "p"
    /// An attempt failed for now; another is due later.
    case deferred = "d"
    /// In flight when its worker ended: it may have arrived.
    case uncertain = "u"
    case stopped = "x"
    /// Excluded at its dispatch: its address was suppressed after the plan.
    case skipped = "k"
    case expired = "e"
    case failed = "f"
    /// The provider took the message.
    case sent = "s"
    /// The provider reported that it reached the person.
    case delivered = "v"

    /// The states in which an attempt of a worker leaves a recipient.
    package static let afterAttempts: [RecipientState] = allCases.filter {
        switch $0 {
        case .deferred, .uncertain, .expired, .failed, .sent: true
        case .planned, .stopped, .skipped, .delivered: false
        }
    }

    /// By its character as a byte; the raw value would be made, and compared, as a string.
    package init?(code: UInt8) {
        switch code {
        case UInt8(ascii: "p"): self = .planned
        case UInt8(ascii: "d"): self = .deferred
        case UInt8(ascii: "u"): self = .uncertain
        case UInt8(ascii: "x"): self = .stopped
        case UInt8(ascii: "k"): self = .skipped
        case UInt8(ascii: "e"): self = .expired
        case UInt8(ascii: "f"): self = .failed
        case UInt8(ascii: "s"): self = .sent
        case UInt8(ascii: "v"): self = .delivered
        default: return nil
        }
    }

    /// The raw value as a byte.
    package var code: UInt8 {
        switch self {
        case .planned: UInt8(ascii: "p")
        case .deferred: UInt8(ascii: "d")
        case .uncertain: UInt8(ascii: "u")
        case .stopped: UInt8(ascii: "x")
        case .skipped: UInt8(ascii: "k")
        case .expired: UInt8(ascii: "e")
        case .failed: UInt8(ascii: "f")
        case .sent: UInt8(ascii: "s")
        case .delivered: UInt8(ascii: "v")
        }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }

    package var name: String {
        switch self {
        case .planned: "planned"
        case .deferred: "deferred"
        case .uncertain: "uncertain"
        case .stopped: "stopped"
        case .skipped: "skipped"
        case .expired: "expired"
        case .failed: "failed"
        case .sent: "sent"
        case .delivered: "delivered"
        }
    }

    /// The order in which states win: a result moves a recipient only to a state of a higher rank, so that the order and
    /// the number of times in which results are written do not matter. Where two attempts differ, the one that reached
    /// the person wins.
    package var rank: Int {
        switch self {
        case .planned: 0
        case .deferred: 1
        case .uncertain: 2
        case .stopped: 3
        case .skipped: 4
        case .expired: 5
        case .failed: 6
        case .sent: 7
        case .delivered: 8
        }
    }

    /// No further attempt is made. (`uncertain` is open: the mailing's `uncertain:` or a person settles it.)
    package var isTerminal: Bool { rank >= Self.stopped.rank }
}
