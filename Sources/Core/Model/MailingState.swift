/// The state of a mailing: draft -> scheduled -> collecting -> sending <-> paused -> sent, or stopped, or failed.
package enum MailingState: String, Codable, Sendable, CaseIterable {
    case draft, scheduled
    /// Its recipients are being planned; batches already planned are sent meanwhile.
    case collecting
    case sending, paused
    case sent, stopped, failed

    /// Nothing more happens to the mailing's recipients.
    package var isTerminal: Bool { self == .sent || self == .stopped || self == .failed }
}
