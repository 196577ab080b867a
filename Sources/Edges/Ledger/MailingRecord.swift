package import Model

/// A mailing as the ledger knows it. Times are milliseconds since 1970, nil until they have come.
package struct MailingRecord: Sendable, Equatable {
    package var id: MailingID
    /// As its first channel sends it.
    package var mailing: Mailing
    /// What further channels send of it.
    package var contents: [Channel: MailingContent] = [:]
    /// Where its recipients come from; nil where they are not read from a file.
    package var source: RecipientSource?
    /// The absolute path of the mailing file it was made from; empty where there is none.
    package var origin: String
    /// By what it is known again; nil for one that is never compared with others.
    package var identity: MailingIdentity?
    /// It leaves out those whom an earlier mailing of its identity has reached.
    package var onlyNew: Bool
    package var state: MailingState
    /// Since when it is in that state; nil where an older release put it there.
    package var stateChanged: Int64?
    /// Why it is paused or stopped, or has failed.
    package var stateReason: StateReason
    package var created: Int64
    /// When it is to begin; nil where it was, or is now, to begin at once.
    package var start: Int64?
    package var started: Int64?
    package var planned: Int64?
    package var finished: Int64?
    package var plannedCount: Int
    package var excludedCount: Int
    /// The number of the next batch to plan.
    package var nextBatch: Int
    /// Rows of the source that are planned or excluded: where an interrupted planning continues.
    package var rowsRead: Int
    /// The source file's size in bytes and time of modification in milliseconds, by which a changed file is noticed.
    package var sourceSize: Int64?
    package var sourceModified: Int64?
    /// The checksum of the rows that are read.
    package var sourceChecksum: Int64?
    package var planningDone: Bool
    /// The limit that an operator set in place of the mailing's own.
    package var speedOverride: String?

    /// Since when it is known, of a mailing that is sending, that it gets no further; nil for one that does.
    package var stuckSince: Int64?
    /// Why that is worth a look, for people; empty for one that is not stuck.
    package var stuckReason: String

    /// Since when its recipients are not kept any more, in milliseconds since 1970; nil while they are.
    package var pruned: Int64?

    /// Why it is paused or stopped, or has failed, or gets no further, in words; empty otherwise.
    package var reason: String { stuckReason.isEmpty ? stateReason.words(state) : "stuck: \(stuckReason)" }

    /// The limit in force, as text; nil for none.
    package var speed: String? { speedOverride ?? mailing.speed }

    /// How long after its start its messages expire, in milliseconds: the lifetime of its definition, or more where a round was opened.
    package var lifetime: Int64

    /// When its messages expire; nil before it started.
    package var expires: Int64? { started.map { $0 + lifetime } }
}
