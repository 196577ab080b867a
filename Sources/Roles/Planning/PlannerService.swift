package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Text

/// Plans mailings, one after another: reads their recipients, cuts batches and writes them to the ledger, several small mailings in one
/// transaction. A mailing is sent only when its whole input was read; a row that cannot be read is excluded. Where nothing is due it sleeps
/// until the ledger changes or the next mailing is to begin.
package struct PlannerService: Service {
    package typealias Store = PlanStore & MailingStore & RepeatStore & SuppressionStore & UploadStore & ChangeSource

    /// Due mailings that are read from the ledger at a time.
    private static let mailingsAtOnce = 100

    /// The least time between two reads of the ledger: others may write to it without a pause.
    private static let leastInterval = Duration.milliseconds(50)

    let ledger: any Store
    /// Bytes of a batch's recipients at most.
    let batchBytes: Int
    private let poll: Duration
    private let only: MailingID?
    /// Nil where no other planner can be at work: a mailing whose recipients cannot be read fails then.
    package var sharing: Sharing?
    /// Those that mailings may name.
    let providers: [String: Provider]
    let clocks: Clocks
    let logger: Logger
    private let plannedRows = Counter(label: "flotilla_planner_rows_total", dimensions: [("outcome", "planned")])
    private let unverifiedNumbers = Counter(label: "flotilla_planner_unverified_numbers_total")
    private let excludedRows = Dictionary(
        uniqueKeysWithValues: ExclusionReason.allCases.map {
            ($0, Counter(label: "flotilla_planner_rows_total", dimensions: [("outcome", $0.rawValue)]))
        })

    /// - Parameters:
    ///   - poll: how often the ledger is read while it reports no change.
    ///   - only: the one mailing to plan; nil for all of the ledger.
    ///   - providers: those that mailings may name.
    ///   - batchBytes: bytes of a batch's recipients in their wire form at most.
    ///   - clocks: its wall clock is the time by which mailings are due.
    package init(
        ledger: any Store, poll: Duration, only: MailingID? = nil, providers: [String: Provider] = [:],
        batchBytes: Int = WireLimit.batchBytes, clocks: Clocks = .system, logger: Logger
    ) {
        self.only = only
        self.providers = providers
        self.batchBytes = batchBytes
        self.clocks = clocks
        self.ledger = ledger
        self.poll = poll
        self.logger = logger
    }

    /// Plans until a graceful shutdown or a cancellation. What is not written by then is planned at the next start.
    package func run() async throws {
        let stop = StopRequest()
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        await withGracefulShutdownHandler {
            await plan(woken: signal, until: stop)
        } onGracefulShutdown: {
            stop.request()
            signal.notify()
        }
        subscription.cancel()
    }

    private func plan(woken signal: WakeSignal, until stop: StopRequest) async {
        var backoff = Backoff()
        var line = RepeatedLine()
        var aside = Aside(looked: clocks.now)
        var spacing = TurnSpacing(interval: Self.leastInterval, burst: 3)
        while !stop.isStopping {
            let mayLook = spacing.next(after: clocks.now)
            var wait = poll
            do throws(LedgerError) {
                let next = try await planDue(&aside) { stop.isStopping }
                if let next { wait = min(poll, .milliseconds(max(1, next - clocks.milliseconds))) }
                backoff = Backoff()
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.error("planning waits: \(error)") }
                guard await backoff.wait(unless: stop) else { return }
                continue
            }
            await signal.wait(atMost: wait)
            if mayLook > clocks.now, !stop.isStopping { try? await clocks.sleep(until: mayLook) }
        }
    }

    /// Milliseconds between two parts of needless uploads that are removed: others want to write too.
    private static let uploadRemoval: Int64 = 60

    /// Removes a part of the recipients' files that are needed no more; mailings that become due do not wait for the others.
    /// - Returns: whether there are more.
    private func removeUploads(_ aside: inout Aside) async -> Bool {
        guard aside.hasUploads || clocks.now - aside.looked > .seconds(3600) else { return false }
        do throws(LedgerError) {
            aside.hasUploads = try await ledger.removeUploads()
        } catch {
            // Nobody waits for that: it is tried again when a mailing has come from an upload, or in an hour.
            logger.warning("recipients' files that are needed no more stay in the ledger for now: \(error)")
            aside.hasUploads = false
        }
        aside.looked = clocks.now
        return aside.hasUploads
    }

    /// Mailings that stay where they are.
    private struct Aside {
        var newer = NewerMailings()
        var left = LeftMailings()
        /// Uploads may have become needless. Those that were given up become so with time alone, and are looked for each hour.
        var hasUploads = true
        var looked: ContinuousClock.Instant

        var count: Int { newer.count + left.count }
    }

    /// What is the same for all mailings of a look.
    struct Look {
        /// As they were before.
        var suppressions: SuppressionList
        var uploads: [MailingID: RecipientUpload]
    }

    /// Plans all mailings that are due, but for those of a newer release and those whose recipients cannot be read here.
    /// - Returns: when the next one is to begin, in milliseconds since 1970; nil for none.
    private func planDue(_ aside: inout Aside, isStopping: @escaping () -> Bool) async throws(LedgerError) -> Int64? {
        while true {
            // Mailings that are left alone must not take the place of others.
            let waiting = try await ledger.waiting(only: only, now: clocks.milliseconds, limit: Self.mailingsAtOnce + aside.count)
            let failed = try await fail(waiting.unreadable.filter { !$0.isNewer })
            let hasMore = aside.newer.note(waiting.unreadable.filter(\.isNewer), at: clocks.monotonic, logger)
            aside.left.keep(waiting.due.map(\.id))
            let uploads = waiting.due.isEmpty ? [:] : try await ledger.uploads()
            let due = waiting.due.filter { !aside.left.isLeft($0.id, now: clocks.milliseconds) || uploads[$0.id] != nil }
            if due.isEmpty, !failed, !hasMore {
                let more = await removeUploads(&aside) ? clocks.milliseconds + Self.uploadRemoval : nil
                return [waiting.next, aside.left.next, more].compactMap(\.self).min()
            }
            if !uploads.isEmpty { aside.hasUploads = true }
            let look = Look(suppressions: try await ledger.suppressionList(), uploads: uploads)
            var buffer = PlanBuffer()
            var lastError: LedgerError?
            for record in due {
                if isStopping() { break }
                if case .hold(let delay) = decision(record) {
                    try await hold(record, late: delay)
                } else {
                    lastError = try await plan(record, &buffer, look, &aside.left, isStopping: isStopping) ?? lastError
                }
            }
            try await write(&buffer)
            if isStopping() { return nil }
            if let lastError { throw lastError }
        }
    }

    /// Ends mailings that cannot be read.
    /// - Returns: whether there was one.
    private func fail(_ unreadable: [UnreadableMailing]) async throws(LedgerError) -> Bool {
        var hasFailed = false
        for one in unreadable {
            guard let id = MailingID(one.id) else { continue }
            let reason = StateReason(kind: .input, text: "\(one.error)")
            guard try await ledger.setState(id, to: .failed, from: [.scheduled, .collecting], reason: reason, now: clocks.milliseconds)
            else {
                continue
            }
            logger.error("mailing \(id) fails: \(one.error)", metadata: ["mailing": "\(id)"])
            hasFailed = true
        }
        return hasFailed
    }

    /// A mailing that has begun continues, whatever its start was.
    private func decision(_ record: MailingRecord) -> StartRule.Decision {
        record.started == nil ? StartRule(record.mailing, start: record.start).decide(now: clocks.milliseconds) : .begin
    }

    private func hold(_ record: MailingRecord, late delay: Int64) async throws(LedgerError) {
        let allowed = StartRule(record.mailing, start: record.start).maximumDelay
        let reason = """
            its start \(Moment(milliseconds: record.begins)) is \(TimeSpan.text(seconds: Double(delay) / 1000)) past, and at \
            most \(TimeSpan.text(seconds: allowed)) is allowed: flotilla mailing resume \(record.id) sends it now, \
            flotilla mailing stop \(record.id) ends it
            """
        guard try await ledger.setState(record.id, to: .paused, from: [.scheduled], reason: .late(reason), now: clocks.milliseconds) else {
            return
        }
        logger.warning("mailing \(record.id) is paused: \(reason)", metadata: record.fields)
    }

    /// Reads a mailing's recipients; one whose recipients are none fails alone, and one whose recipients another machine may have is left.
    /// - Returns: why it has to be tried again later; nil where it has not.
    private func plan(
        _ record: MailingRecord, _ buffer: inout PlanBuffer, _ look: Look, _ left: inout LeftMailings, isStopping: @escaping () -> Bool
    ) async throws(LedgerError) -> LedgerError? {
        do {
            try await read(record, into: &buffer, look, isStopping: isStopping)
            left.remove(record.id)
        } catch let error as LedgerError {
            throw error
        } catch let fault as ScratchFile.Fault {
            // It is planned again, from the last row that was written.
            buffer.remove(record.id)
            return .refused("mailing \(record.id) waits: what was put aside for it cannot be written or read back (\(fault))")
        } catch {
            buffer.remove(record.id)
            if let error = error as? InputError, error.isInterrupted { return nil }
            if let sharing, let error = error as? InputError, error.isUnavailable {
                try await leave(record, error, as: sharing, &left)
                return nil
            }
            buffer.append(
                PlanBuffer.Entry(step: PlanStep(mailing: record.id, ending: .failed(reason: "\(error)")), rows: 0, record: record))
        }
        return nil
    }

    /// Writes what the buffer holds, in one transaction.
    /// - Returns: the mailings that are no longer being planned: somebody stopped them meanwhile.
    /// - Throws: also when another planner is at work.
    @discardableResult
    func write(_ buffer: inout PlanBuffer) async throws(LedgerError) -> Set<MailingID> {
        let entries = buffer.take()
        guard !entries.isEmpty else { return [] }
        do throws(LedgerError) {
            return try await write(entries)
        } catch {
            guard case .unfit = error else { throw error }
        }
        return try await writeSingly(entries)
    }

    /// Writes the steps of each mailing by itself, after the ledger refused them together for what is in them: the mailing whose steps they
    /// are fails, and no other.
    private func writeSingly(_ entries: [PlanBuffer.Entry]) async throws(LedgerError) -> Set<MailingID> {
        var ended: Set<MailingID> = []
        for entry in entries where !ended.contains(entry.record.id) {
            do throws(LedgerError) {
                ended.formUnion(try await write([entry]))
            } catch {
                guard case .unfit = error else { throw error }
                let step = PlanStep(mailing: entry.record.id, ending: .failed(reason: "\(error)"))
                _ = try await write([PlanBuffer.Entry(step: step, rows: 0, record: entry.record)])
                ended.insert(entry.record.id)
            }
        }
        return ended
    }

    private func write(_ entries: [PlanBuffer.Entry]) async throws(LedgerError) -> Set<MailingID> {
        let refusals = try await ledger.writePlan(entries.map(\.step), now: clocks.milliseconds)
        for entry in entries where refusals[entry.record.id] == nil { note(entry) }
        for (id, refusal) in refusals {
            let state = try await ledger.mailing(id)?.state
            // Stopped or paused by hand before it had begun, or while it was planned: nothing is wrong.
            if state == .scheduled || state == .collecting { throw refusal }
        }
        return Set(refusals.keys)
    }

    private func note(_ entry: PlanBuffer.Entry) {
        let record = entry.record
        plannedRows.increment(by: entry.step.batches.reduce(0) { $0 + $1.count })
        for exclusion in entry.step.exclusions { excludedRows[exclusion.reason]?.increment() }
        excludedRows[.sentBefore]?.increment(by: entry.step.reachedBefore)
        unverifiedNumbers.increment(by: entry.step.unverified)
        if record.rowsRead == 0, entry.step.sourceSize != nil, case .beginLate(let delay) = decision(record) {
            logger.notice(
                """
                mailing \(record.id) begins \(TimeSpan.text(seconds: Double(delay) / 1000)) after its start \
                \(Moment(milliseconds: record.begins)), as its `late: send` says
                """, metadata: record.fields)
        }
        for key in entry.ignored {
            logger.warning(
                "\(record.source?.file ?? ""): key '\(key.name)' of row \(key.row) is not in the first object and is ignored",
                metadata: record.fields)
        }
        switch entry.step.ending {
        case .more: break
        case .whole:
            logger.info("mailing \(record.id) is planned: \(Plural.text(entry.step.rowsRead ?? 0, "row"))", metadata: record.fields)
        case .failed(let reason): logger.error("mailing \(record.id) fails: \(reason)", metadata: record.fields)
        }
    }
}

extension MailingRecord {
    /// When it is to begin, in milliseconds since 1970.
    fileprivate var begins: Int64 { start ?? created }
}
