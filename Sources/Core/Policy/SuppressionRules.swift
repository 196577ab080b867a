package import Model

/// How long addresses stay suppressed that messages came back from, as `docs/suppressions.md` has it; nil is for ever.
package struct SuppressionRules: Sendable, Equatable {
    private static let day = Duration.seconds(86_400)

    package var unknownUser: Duration?
    package var unknownHost: Duration? = day * 180
    package var moved: Duration?
    package var inactive: Duration? = day * 180
    /// Mailings in a row that a mailbox took nothing of for now, after which its address is suppressed; 0 for never.
    package var softBounces = 5
    /// How long it is suppressed then. Soft bounces that lie further apart are not in a row.
    package var softExpiry = day * 90

    package init() {}

    /// Until when an address is suppressed, in milliseconds since 1970; nil for ever.
    /// - Parameters:
    ///   - kind: of the bounce; a soft one is the last of some in a row.
    ///   - time: when it was, in milliseconds since 1970.
    package func expiry(of kind: BounceKind, _ reason: ResponseReason, at time: Int64) -> Int64? {
        let span: Duration? =
            switch reason {
            case _ where kind == .soft: softExpiry
            case .unknownHost: unknownHost
            case .moved: moved
            case .inactive: inactive
            default: unknownUser
            }
        return span.map { time + $0.components.seconds * 1000 }
    }
}

/// Which refusals take an address off later mailings.
package enum BounceKind: Sendable {
    /// No later mailing sends to the address.
    case hard
    /// The mailbox took nothing for now, to the last attempt. Some of them in a row count as a hard one.
    case soft

    /// What a result says of its recipient's address; nil for nothing. What may be everybody's, or a fault of ours, says nothing: that a
    /// refusal is certainly the recipient's own is known where its text was read. A greylist knows the recipient too.
    package init?(_ result: RecipientResult) {
        guard result.state == .failed || result.state == .expired, let reason = result.response?.reason else { return nil }
        switch result.ownRefusal {
        case .lasting where reason.consequence.suppresses: self = .hard
        case nil where reason != .greylisted: return nil
        case _ where reason.isSoft || reason.consequence.suppresses: self = .soft
        default: return nil
        }
    }
}

extension ResponseReason {
    /// It is the recipient's own, and another mailing may be taken.
    package var isSoft: Bool { self == .full || self == .greylisted }
}
