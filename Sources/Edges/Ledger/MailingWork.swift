package import Model

/// What a dispatcher must know of a mailing that has something to dispatch, or may have: small, and read for all of them at once.
package struct MailingWork: Sendable, Equatable {
    package var id: MailingID
    /// `sending`, `paused` or `stopped`.
    package var state: MailingState
    /// Nil for a channel of a newer release.
    package var channel: Channel?
    /// As the mailing names it: a name of the configuration, or a URL.
    package var provider: String
    /// The limit in force, as text: the one set at run time, else the mailing's own; nil for none.
    package var speed: String?
    /// When its messages expire, in milliseconds since 1970; nil before it started.
    package var expires: Int64?
    /// Recipients planned so far.
    package var planned = 0
    /// Batches planned so far.
    package var batches = 0
    /// All of its recipients are planned.
    package var isPlanned = false
    /// Recipients that are not terminal.
    package var open = 0
    /// Those of `open` that are held for a person.
    package var uncertain = 0
    /// Batches that are with the workers.
    package var dispatched = 0
    /// Those of them of which more than an eighth of the recipients are not terminal.
    package var busy = 0
    /// Those of them of which more than half of the recipients are not terminal.
    package var mostlyOpen = 0
    /// When the next batch may be dispatched: 0 for now, else milliseconds since 1970; nil where none waits.
    package var next: Int64?

    package init(id: MailingID, state: MailingState, channel: Channel?, provider: String) {
        self.id = id
        self.state = state
        self.channel = channel
        self.provider = provider
    }

    /// Nothing of it can be dispatched any more, and nothing of it is with the workers.
    package var isOver: Bool { state == .stopped && open == uncertain && dispatched == 0 }

    /// Each of its recipients is planned and terminal.
    package var isComplete: Bool { isPlanned && open == 0 }
}
