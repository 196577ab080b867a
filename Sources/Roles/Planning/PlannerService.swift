package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Plans mailings, one after another: reads their recipients, cuts batches and writes them to the ledger. A mailing is sent
/// only when its whole input was read without an error, so that a broken row stops it before anybody has got it.
package struct PlannerService: Service {
    package typealias Store = PlanStore & MailingStore

    /// Rows in a transaction at most, so that memory stays small and a crash costs little.
    private static let rowsAtOnce = 10_000

    private let ledger: any Store
    private let poll: Duration
    private let only: MailingID?
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let plannedRows = Counter(label: "flotilla_planner_rows_total", dimensions: [("outcome", "planned")])
    private let excludedRows = Dictionary(
        uniqueKeysWithValues: ExclusionReason.allCases.map {
            ($0, Counter(label: "flotilla_planner_rows_total", dimensions: [("outcome", $0.rawValue)]))
        })

    /// - Parameters:
    ///   - poll: how often the ledger is looked at for a mailing to plan.
    ///   - only: the one mailing to plan; nil for all of the ledger.
    ///   - clock: the time in milliseconds since 1970.
    package init(
        ledger: any Store, poll: Duration, only: MailingID? = nil,
        clock: @escaping @Sendable () -> Int64 = { Clock.milliseconds() }, logger: Logger
    ) {
        self.only = only
        self.clock = clock
        self.ledger = ledger
        self.poll = poll
        self.logger = logger
    }

    package func run() async throws {
        let stopping = Atomic<Bool>(false)
        await withGracefulShutdownHandler {
            await plan { stopping.load(ordering: .relaxed) || Task.isCancelled }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
        }
    }

    private func plan(isStopping: () -> Bool) async {
        var backoff = Backoff()
        while !isStopping() {
            do throws(LedgerError) {
                let waiting = try await ledger.mailings(states: [.scheduled, .collecting], limit: 10_000)
                    .filter { only == nil || $0.id == only }
                if let record = try await nextDue(waiting) { try await plan(record, isStopping: isStopping) }
                backoff = Backoff()
            } catch {
                logger.error("planning waits: \(error)")
                guard await backoff.wait() else { return }
            }
            do { try await Task.sleep(for: min(poll, .milliseconds(250))) } catch { return }
        }
    }

    /// Of mailings, the newest first, the one that should have begun first; pauses those that are too late to begin by
    /// themselves.
    private func nextDue(_ waiting: [MailingRecord]) async throws(LedgerError) -> MailingRecord? {
        var due: MailingRecord?
        for record in waiting.reversed() {
            switch decision(record) {
            case .wait: break
            case .hold(let delay): try await hold(record, late: delay)
            case .begin, .beginLate:
                if let first = due, first.begins <= record.begins { break }
                due = record
            }
        }
        return due
    }

    /// A mailing that has begun goes on, whatever its start was.
    private func decision(_ record: MailingRecord) -> StartRule.Decision {
        record.started == nil ? StartRule(record.mailing, start: record.start).decide(now: clock()) : .begin
    }

    private func hold(_ record: MailingRecord, late delay: Int64) async throws(LedgerError) {
        let allowed = StartRule(record.mailing, start: record.start).maximumDelay
        let reason = """
            its start \(Moment(milliseconds: record.begins)) is \(TimeSpan.text(seconds: Double(delay) / 1000)) past, and at \
            most \(TimeSpan.text(seconds: allowed)) is allowed: flotilla mailing resume \(record.id) sends it now, \
            flotilla mailing stop \(record.id) ends it
            """
        guard try await ledger.setState(record.id, to: .paused, from: [.scheduled], reason: reason, now: clock()) else {
            return
        }
        logger.warning("mailing \(record.id) is paused: \(reason)", metadata: record.fields)
    }

    private func plan(_ record: MailingRecord, isStopping: () -> Bool) async throws(LedgerError) {
        let decision = decision(record)
        let now = clock()
        let begins = try await ledger.setState(record.id, to: .collecting, from: [.scheduled], reason: "", now: now)
        if begins, case .beginLate(let delay) = decision {
            logger.notice(
                """
                mailing \(record.id) begins \(TimeSpan.text(seconds: Double(delay) / 1000)) after its start \
                \(Moment(milliseconds: record.begins)), as its `late: send` says
                """, metadata: record.fields)
        }
        do {
            try await read(record, isStopping: isStopping)
        } catch let error as LedgerError {
            // Stopped by hand while it was planned: nothing is wrong.
            if case .refused = error, try await ledger.mailing(record.id)?.state != .collecting { return }
            throw error
        } catch {
            logger.error("mailing \(record.id) fails: \(error)", metadata: record.fields)
            try await ledger.failPlan(record.id, reason: "\(error)", now: clock())
        }
    }

    private func read(_ record: MailingRecord, isStopping: () -> Bool) async throws {
        guard let source = record.source else {
            throw InputError(file: record.origin, problem: "names no recipients")
        }
        try await noteFile(record, source)
        var planner = try RecipientPlanner(
            source: source, channel: record.mailing.channel, carry: Set(record.mailing.fields.dropFirst(2)),
            batchSize: BatchSize.of(record), after: record.rowsRead)
        guard planner.fields == record.mailing.fields else {
            throw InputError(file: source.file, problem: "has other columns than when the mailing was made")
        }
        var chunk = planner.makeChunk()
        var batches: [PlannedBatch] = []
        var exclusions: [Exclusion] = []
        var number = record.nextBatch
        var written = record.rowsRead
        var hasMore = true
        while hasMore {
            if isStopping() { return }
            hasMore = try planner.next(&chunk)
            if !chunk.recipients.isEmpty {
                batches.append(PlannedBatch(number: number, recipients: chunk.recipients))
                number += 1
            }
            exclusions += chunk.exclusions
            guard planner.rows - written >= Self.rowsAtOnce || !hasMore, planner.rows > written else { continue }
            try await ledger.appendPlan(record.id, batches: batches, exclusions: exclusions, rowsRead: planner.rows)
            plannedRows.increment(by: batches.reduce(0) { $0 + $1.count })
            for exclusion in exclusions { excludedRows[exclusion.reason]?.increment() }
            written = planner.rows
            batches.removeAll(keepingCapacity: true)
            exclusions.removeAll(keepingCapacity: true)
        }
        for key in planner.ignored {
            logger.warning(
                "\(source.file): key '\(key.name)' of row \(key.row) is not in the first object and is ignored", metadata: record.fields)
        }
        try await ledger.finishPlan(record.id, now: clock())
        logger.info("mailing \(record.id) is planned: \(planner.rows) rows", metadata: record.fields)
    }

    /// A planning that is taken up again must read the file it began with.
    private func noteFile(_ record: MailingRecord, _ source: RecipientSource) async throws {
        let file = try FileStamp(path: source.file)
        guard record.rowsRead > 0, let size = record.sourceSize, let modified = record.sourceModified else {
            return try await ledger.noteSource(record.id, size: file.size, modified: file.modified)
        }
        guard size == file.size, modified == file.modified else {
            throw InputError(
                file: source.file,
                problem: "has changed since \(record.rowsRead) of its rows were planned; send it as a new mailing")
        }
    }
}

extension MailingRecord {
    /// When it is to begin, in milliseconds since 1970.
    fileprivate var begins: Int64 { start ?? created }
}
