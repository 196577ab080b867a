package import Model

/// Which refusals take an address off later mailings.
package enum BounceKind: Sendable {
    /// No later mailing sends to the address.
    case hard

    /// What a result says of its recipient's address; nil for nothing. What may be everybody's, or a fault of ours, says nothing: that a
    /// refusal is certainly the recipient's own is known where its text was read.
    package init?(_ result: RecipientResult) {
        guard result.ownRefusal == .lasting, let reason = result.response?.reason, reason.consequence.suppresses else { return nil }
        self = .hard
    }
}
