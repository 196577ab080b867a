/// When the responses of a provider are taken for a refusal of everybody.
package struct RefusalThresholds: Sendable, Equatable {
    /// So many recipients with the same refusal pause a mailing of which nobody has been accepted, and so many with a refusal that speaks
    /// of us any mailing; 0 turns this off.
    package var alike = 10
    /// How many of the last responses are looked at once somebody was accepted; 0 turns this off.
    package var window = 200
    /// The share of them, in percent, that pauses the mailing when it is one refusal.
    package var share = 95

    package init() {}

    /// Nobody fails for a refusal that may be everybody's before somebody was accepted.
    package var needsProof: Bool { alike > 0 }
}
