package import Model

/// A mailing that is to be added to the ledger.
package struct NewMailing: Sendable, Equatable {
    package var id: MailingID
    /// As its first channel sends it.
    package var mailing: Mailing
    /// What further channels send of it.
    package var contents: [Channel: MailingContent] = [:]
    /// Nil where its recipients are not read from a file.
    package var source: RecipientSource?
    /// The absolute path of the mailing file as it was given; empty for none.
    package var origin = ""
    /// Nil for one that is never compared with earlier ones.
    package var identity: MailingIdentity?
    /// Leaves out those whom an earlier mailing of its identity has reached.
    package var onlyNew = false
    package var state = MailingState.scheduled
    /// When it is to begin, in milliseconds since 1970; nil for at once.
    package var start: Int64?

    package init(id: MailingID, mailing: Mailing, source: RecipientSource?) {
        self.id = id
        self.mailing = mailing
        self.source = source
    }
}

/// What is to happen where an earlier mailing of the same identity has reached somebody.
package enum RepeatPolicy: Sendable, Equatable {
    /// Nothing is sent.
    case refuse
    /// It is sent to everybody again.
    case again
    /// It is sent to those whom it has not reached.
    case onlyNew
}

/// The mailings of one identity that are in the ledger already.
package struct EarlierMailings: Sendable, Equatable {
    /// One that has ended and reached somebody.
    package struct Sent: Sendable, Equatable {
        package var id: MailingID
        package var state: MailingState
        /// When it began, in milliseconds since 1970.
        package var started: Int64
        /// Recipients that it reached, or may have reached.
        package var reached: Int
        /// Since when it is not known any more who they were, in milliseconds since 1970; nil where it is.
        package var pruned: Int64?

        package init(id: MailingID, state: MailingState, started: Int64, reached: Int, pruned: Int64? = nil) {
            self.id = id
            self.state = state
            self.started = started
            self.reached = reached
            self.pruned = pruned
        }
    }

    /// The newest one that has not ended.
    package var unfinished: MailingRecord?
    /// The newest first.
    package var sent: [Sent] = []
    /// One that was added later than all of these and that the ledger does not know: an older copy has taken the ledger's place since. Whom
    /// it has reached is not known.
    package var lost: MailingID?

    package init() {}

    /// Messages that were sent, or may have been.
    package var reached: Int { sent.reduce(0) { $0 + $1.reached } }

    /// The newest one of which it is not known any more whom it reached.
    package var forgotten: Sent? { sent.first { $0.pruned != nil } }

    /// Why a further mailing is not added; nil where it may be.
    package func obstacle(_ policy: RepeatPolicy) -> AddOutcome? {
        if policy == .again { return nil }
        if let unfinished { return .unfinished(unfinished) }
        if let lost { return .lost(lost) }
        if policy == .onlyNew, let forgotten { return .forgotten(forgotten) }
        return policy == .refuse && reached > 0 ? .sentBefore(self) : nil
    }
}

/// What became of a mailing that was to be added.
package enum AddOutcome: Sendable, Equatable {
    case added
    /// An earlier one has not ended; nothing was added.
    case unfinished(MailingRecord)
    /// Earlier ones have reached people; nothing was added.
    case sentBefore(EarlierMailings)
    /// An earlier one is known from the note beside the ledger alone; nothing was added.
    case lost(MailingID)
    /// It is not known any more whom an earlier one has reached, so that nobody can be excluded; nothing was added.
    case forgotten(EarlierMailings.Sent)
}
