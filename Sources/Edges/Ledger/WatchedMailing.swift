package import Model

/// What is watched of a mailing that is sending: small, and read for thousands of them at once, without their definitions.
package struct WatchedMailing: Sendable, Equatable {
    package var id: MailingID
    package var channel: Channel
    /// As the mailing names it: a name of the configuration, or a URL.
    package var provider: String
    package var progress: MailingProgress
    /// When its next batch may be dispatched, in milliseconds since 1970, 0 for at once; nil where none is left.
    package var next: Int64?
    /// The ledger has it as stuck.
    package var isStuck = false

    package init(id: MailingID, channel: Channel, provider: String, progress: MailingProgress, next: Int64?) {
        self.id = id
        self.channel = channel
        self.provider = provider
        self.progress = progress
        self.next = next
    }
}
