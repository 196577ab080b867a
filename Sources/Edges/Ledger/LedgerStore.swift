package import Model
package import Policy

/// The whole of a ledger: what an engine must do, and what the conformance suite tests.
package typealias LedgerStore = MailingStore & PlanStore & DispatchStore & ResultStore & ReportStore & UncertainStore
    & LeadershipStore & EpochNoteStore & LimitStore & AuditStore & RepeatStore & RefusalStore & DeadLetterStore & CopyStore & RetentionStore
    & SuppressionStore & UploadStore & ErasureStore & NumberStore & EventStore & VisitDomainStore & ReceiptStore
    & AnswerStore & WebhookStore & BrakeStore & RoundStore
    & ChangeSource

/// Mailings and their states. `now` is in milliseconds since 1970 everywhere.
package protocol MailingStore: Sendable {
    /// Adds a mailing, unless an earlier one of its identity stands in its way.
    /// - Parameter note: the order that adds it; nil where nobody gave one.
    /// - Throws: `LedgerError.refused` when the id is taken.
    func add(
        _ new: NewMailing, repeating policy: RepeatPolicy, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> AddOutcome

    /// - Throws: also `LedgerError.unreadable`.
    func mailing(_ id: MailingID) async throws(LedgerError) -> MailingRecord?

    /// The mailings in one of `states`, the newest first; all for nil.
    func mailings(states: Set<MailingState>?, limit: Int) async throws(LedgerError) -> [MailingRecord]

    /// Those of the newest mailings that cannot be read: all lists leave them out.
    func unreadableMailings(limit: Int) async throws(LedgerError) -> [UnreadableMailing]

    /// The mailings whose id starts with `prefix`, at most ten: more than one means that the prefix is not enough. An empty prefix matches
    /// nothing.
    func find(prefix: String) async throws(LedgerError) -> [MailingRecord]

    /// Moves a mailing to a state if it is in one of `from`; the first `collecting` or `sending` sets its start, a terminal
    /// state its end. `sent` is taken only when every recipient is planned and terminal.
    /// - Parameter note: the order that moves it; nil where nobody gave one.
    /// - Returns: whether it moved.
    func setState(
        _ id: MailingID, to state: MailingState, from: Set<MailingState>, reason: StateReason, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Bool

    /// Notes that a mailing that is sending gets no further, or that it does again: its state stays.
    /// - Parameter why: for people; nil when it is stuck no longer.
    /// - Returns: whether that is news: one that is stuck already stays so, with the reason noted first.
    @discardableResult
    func noteStuck(_ id: MailingID, why: String?, now: Int64) async throws(LedgerError) -> Bool

    /// Resumes a paused mailing: it is `sending` when its plan is whole, else `collecting`, or `scheduled` where it has
    /// not begun.
    /// - Parameters:
    ///   - atOnce: a start that has passed is forgotten, so that the mailing cannot be too late any more.
    ///   - note: the order that resumes it; nil where nobody gave one.
    /// - Returns: its state now; nil when it was not paused.
    func resume(_ id: MailingID, atOnce: Bool, note: AuditNote?, now: Int64) async throws(LedgerError) -> MailingState?

    /// Sets the limit in place of the mailing's own; nil takes the mailing's own again.
    /// - Parameter note: the order that sets it; nil where nobody gave one.
    func setSpeed(_ id: MailingID, _ speed: String?, note: AuditNote?, now: Int64) async throws(LedgerError)
}

/// The plan: recipients in batches, and the rows that were excluded.
package protocol PlanStore: Sendable {
    /// The mailings that wait for their planning at a time.
    /// - Parameters:
    ///   - only: the one mailing to look for; nil for all.
    ///   - now: milliseconds since 1970.
    ///   - limit: due mailings at most.
    func waiting(only: MailingID?, now: Int64, limit: Int) async throws(LedgerError) -> WaitingMailings

    /// Writes steps of the plans of one or several mailings in one transaction, in their order: batches, exclusions, how far the source was
    /// read, and the states that change thereby. A planning that was interrupted continues at the record's `rowsRead` with batch
    /// `nextBatch`.
    /// - Parameter now: milliseconds since 1970; mailings whose first steps these are have begun then.
    /// - Returns: why steps were not written, by mailing, while the others were: its batches do not follow those planned before (another
    ///   planner is at work), or it is no longer being planned.
    func writePlan(_ steps: [PlanStep], now: Int64) async throws(LedgerError) -> [MailingID: LedgerError]
}

/// What is to be dispatched to workers.
package protocol DispatchStore: Sendable {
    /// The mailings that a dispatcher has to look after, the oldest first: those in `sending` and `paused`, and stopped ones of which
    /// something is still open or with the workers. It reads no definition, and mailings that have ended cost nothing.
    func work() async throws(LedgerError) -> [MailingWork]

    /// The recipients of the mailings of `work` that are held for a person, without a look at anything else of them.
    func heldRecipients() async throws(LedgerError) -> Int

    /// How many mailings are in each state that is not terminal; those that have ended cost nothing.
    func openMailings() async throws(LedgerError) -> [MailingState: Int]

    /// Takes batches with recipients to send to now, and marks them as dispatched under a new dispatch number: of each mailing at most
    /// `limit`, all in one transaction, and none where no batch is ready. Up to half of a mailing's are batches with due retries, the
    /// longest due first, so that neither retries nor first attempts starve. Nothing is taken of a mailing that is not `collecting` or
    /// `sending`. Each mailing has its share of the bytes, and one batch at least; of a batch that is too large the recipients that fit
    /// are dispatched, and the others after them. Who is suppressed since the mailing was planned becomes `skipped` instead.
    func dispatchBatches(
        _ wanted: [(mailing: MailingID, limit: Int)], bytes: DispatchBytes, now: Int64
    ) async throws(LedgerError) -> [DispatchedBatch]

    /// Marks as `sent`, in one transaction, those of the mailings that are `sending` and whose recipients are all planned and terminal;
    /// as `failed` where none of them was sent to.
    /// - Returns: the mailings that it marked.
    func complete(_ ids: [MailingID], now: Int64) async throws(LedgerError) -> Set<MailingID>

    /// The batches of several mailings that are with the workers, by number.
    func openDispatches(of ids: [MailingID]) async throws(LedgerError) -> [MailingID: [DispatchMark]]

    /// Ends dispatches none of whose messages can have been started, as they never reached Redis or never left it, in one transaction.
    /// What is still open of them is dispatched again.
    /// - Returns: how many of them it ended: batches that are still in that dispatch.
    func takeBack(_ dispatches: [Dispatch], now: Int64) async throws(LedgerError) -> Int

    /// Ends dispatches that were lost, in one transaction. What is still open of them is dispatched again.
    /// - Parameters:
    ///   - why: why it is not known what became of their messages, for people: each recipient of whom a dispatch owes a result is listed as
    ///     uncertain, and held where the mailing says so. Nil when none of the messages can have been started.
    ///   - started: the only recipients whose messages can have been started, by their index, of each dispatch; of one that is missing
    ///     nobody's can. Nil where that is not known: everybody's can.
    /// - Returns: how many dispatches it ended, and how many recipients it listed.
    func giveUp(
        _ dispatches: [Dispatch], why: String?, started: [Dispatch: Set<Int>]?, now: Int64
    ) async throws(LedgerError) -> (batches: Int, listed: Int)

    /// Stops every planned and deferred recipient that is not with the workers (an `uncertain` one stays: it may have been
    /// reached). Set the mailing's state first, and call again when dispatched batches have come back.
    /// - Returns: how many it stopped.
    func stopOpen(_ id: MailingID, now: Int64) async throws(LedgerError) -> Int

    /// When the mailing's lifetime has ended, expires every planned and deferred recipient that is not with the workers.
    /// - Returns: how many it expired.
    func expireOverdue(_ id: MailingID, now: Int64) async throws(LedgerError) -> Int
}

extension DispatchStore {
    /// Ends dispatches that were lost, of which it is not known whose messages were started.
    package func giveUp(
        _ dispatches: [Dispatch], why: String?, now: Int64
    ) async throws(LedgerError) -> (batches: Int, listed: Int) {
        try await giveUp(dispatches, why: why, started: nil, now: now)
    }

    /// Dispatches batches within the usual bytes.
    package func dispatchBatches(
        _ wanted: [(mailing: MailingID, limit: Int)], now: Int64
    ) async throws(LedgerError) -> [DispatchedBatch] {
        try await dispatchBatches(wanted, bytes: DispatchBytes(), now: now)
    }
}

/// How much is dispatched at a time, in bytes of recipients.
package struct DispatchBytes: Sendable, Equatable {
    /// A batch of more than twice as many is dispatched in parts.
    package var batch = WireLimit.batchBytes
    /// All together, about.
    package var total = 8 << 20

    package init(batch: Int = WireLimit.batchBytes, total: Int = 8 << 20) {
        self.batch = batch
        self.total = total
    }
}

/// A batch that is with the workers.
package struct DispatchMark: Sendable, Equatable {
    package var number: Int
    package var dispatchNumber: Int
    /// When it was dispatched, in milliseconds since 1970.
    package var dispatched: Int64

    package init(number: Int, dispatchNumber: Int, dispatched: Int64) {
        self.number = number
        self.dispatchNumber = dispatchNumber
        self.dispatched = dispatched
    }
}

/// What became of recipients.
package protocol ResultStore: Sendable {
    /// Writes results and events in one transaction with all counters they change. Groups may come in any order, late, and
    /// more than once: states move only forward by `RecipientState.rank`. A dispatch ends with `done` once each of its
    /// recipients has a result, and with `released` once as many of its groups are in as the closing one says, of whatever
    /// worker, whatever overtook what. An `uncertain` result puts its recipient on the list; with `due` above 0 it does
    /// nothing else, with `due` 0 the recipient is held for a person.
    /// - Parameters:
    ///   - letters: entries that could not be read; one that is kept already stays as it is.
    ///   - rules: for how long those are suppressed who were refused for good, and for their own sake.
    func write(
        groups: [ResultGroup], events: [EventGroup], letters: [DeadLetter], suppressing rules: SuppressionRules, now: Int64
    ) async throws(LedgerError) -> WriteSummary
}

extension ResultStore {
    package func write(groups: [ResultGroup], events: [EventGroup], now: Int64) async throws(LedgerError) -> WriteSummary {
        try await write(groups: groups, events: events, letters: [], now: now)
    }

    package func write(
        groups: [ResultGroup], events: [EventGroup], letters: [DeadLetter], now: Int64
    ) async throws(LedgerError) -> WriteSummary {
        try await write(groups: groups, events: events, letters: letters, suppressing: SuppressionRules(), now: now)
    }
}

/// Questions to the ledger.
package protocol ReportStore: Sendable {
    /// A mailing's counters; nil when it is not known.
    func progress(_ id: MailingID) async throws(LedgerError) -> MailingProgress?

    /// The mailings in one of `states` (all for nil), the newest first, each with what `progress` tells of it and its next batch; as
    /// many queries for one as for a thousand.
    func statuses(states: Set<MailingState>?, limit: Int) async throws(LedgerError) -> [MailingStatus]

    /// The mailings that are sending, as they are watched; without those of a channel of a newer release.
    func watched() async throws(LedgerError) -> [WatchedMailing]

    /// The status of one mailing; nil when it is not known.
    func status(_ id: MailingID) async throws(LedgerError) -> MailingStatus?

    /// A mailing's report, from counters alone.
    func report(_ id: MailingID, now: Int64) async throws(LedgerError) -> MailingReport?

    /// The commonest response of those who wait for another attempt, among a thousand of them; nil where nobody waits.
    func commonestDeferral(_ id: MailingID) async throws(LedgerError) -> MailingReport.ResponseCount?

    /// Recounts a mailing from its recipients' states and compares all that is counted or derived.
    /// - Returns: what does not agree, a sentence each; empty when the ledger is right.
    func recount(_ id: MailingID) async throws(LedgerError) -> [String]

    /// The recipient of a mailing with an address (ASCII case does not matter) or, failing that, an id.
    func recipient(_ id: MailingID, _ key: String) async throws(LedgerError) -> RecipientDetail?

    /// The addresses of a mailing's recipients with an id, in their order: the ids of a file need not differ.
    func addresses(_ id: MailingID, ofID recipient: String, limit: Int) async throws(LedgerError) -> [String]

    /// What an address got, over all mailings, the newest first.
    func history(address: String, limit: Int) async throws(LedgerError) -> [RecipientDetail]

    /// Exclusions of a mailing after a row, by row.
    func exclusions(_ id: MailingID, after row: Int, limit: Int) async throws(LedgerError) -> [Exclusion]
}
