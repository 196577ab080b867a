package import Model

/// What one transaction adds to the plan of one mailing. A mailing's first step begins it.
package struct PlanStep: Sendable {
    /// Where the plan stands after the step.
    package enum Ending: Sendable, Equatable {
        /// Further steps follow.
        case more
        /// Every recipient is planned: the mailing is sent from now on.
        case whole
        /// The plan cannot be made, and the mailing fails.
        case failed(reason: String)
    }

    package var mailing: MailingID
    /// The source file, by which a resumed planning sees that it has changed: its size in bytes, and when it was modified, in milliseconds
    /// since 1970. Nil leaves what was noted before.
    package var sourceSize: Int64?
    package var sourceModified: Int64?
    /// The checksum of the rows that are read; nil leaves what was noted before.
    package var sourceChecksum: Int64?
    /// The revision of the suppressions before the first row was looked at; nil leaves what was noted before.
    package var suppressionRevision: Int64?
    package var batches: [PlannedBatch] = []
    package var exclusions: [Exclusion] = []
    /// Rows that are excluded because an earlier mailing of the identity has reached them. They are counted and not listed: the earlier
    /// mailing has them.
    package var reachedBefore = 0
    /// Recipients in `batches` whose telephone number is in no range that is known.
    package var unverified = 0
    /// Rows of the source that are planned or excluded now; nil for as many as before. An interrupted planning continues behind them.
    package var rowsRead: Int?
    package var ending = Ending.more

    /// Bytes of the recipients in it.
    package var bytes: Int { batches.reduce(0) { $0 + $1.recipients.count } }

    package init(mailing: MailingID, ending: Ending = .more) {
        self.mailing = mailing
        self.ending = ending
    }
}

/// The mailings that wait for their planning.
package struct WaitingMailings: Sendable {
    /// Those whose start has come, or whose planning was interrupted; the longest due first.
    package var due: [MailingRecord]
    /// Those of them that cannot be read.
    package var unreadable: [UnreadableMailing] = []
    /// When the next mailing is to begin that is not due, in milliseconds since 1970; nil for none.
    package var next: Int64?
}
