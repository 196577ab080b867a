import Ledger
import Logging
import Model

extension PlannerService {
    /// Reads the recipients of a mailing into the buffer, and writes that whenever it is full.
    /// - Throws: `LedgerError`; `InputError` and `TemplateError` when the recipients cannot be read.
    /// - Parameter list: the suppressions as they were before.
    func read(
        _ record: MailingRecord, into buffer: inout PlanBuffer, _ list: SuppressionList, isStopping: () -> Bool
    ) async throws {
        guard let source = record.source else {
            throw InputError(file: record.origin, problem: "names no recipients")
        }
        var step = try firstStep(record, source)
        let target = SuppressionTarget(record.mailing.channel, category: record.mailing.category ?? "")
        // A release that knew no suppressions may have planned the first rows; what is noted already stays.
        step.suppressionRevision = record.rowsRead > 0 ? 0 : list.revision
        let suppressed = try await SuppressedAddresses.load(
            list, for: target, sourceBytes: FileStamp(path: source.file).size, from: ledger)
        var planner = try RecipientPlanner(
            source: source, channel: record.mailing.channel, carry: Set(record.mailing.fields.dropFirst(2)),
            bounds: .init(size: BatchSize.of(record), bytes: batchBytes),
            after: .init(record.rowsRead, checksum: record.sourceChecksum.map(UInt64.init(bitPattern:))),
            excluding: .init(suppressed: suppressed, check: bodyCheck(record)))
        guard planner.fields == record.mailing.fields else {
            throw InputError(file: source.file, problem: "has other columns than when the mailing was made")
        }
        if record.onlyNew { try await planner.excludeReached(before: record.id, in: ledger) }
        var chunk = planner.makeChunk()
        var number = record.nextBatch
        var written = record.rowsRead
        var bytes = 0
        var hasMore = true
        var hasWarned = false
        while hasMore {
            if isStopping() { return buffer.remove(record.id) }
            hasMore = try planner.next(&chunk)
            if let fault = planner.addresses.spillFault, !hasWarned {
                hasWarned = true
                logger.warning(
                    "the addresses of mailing \(record.id) stay in memory, 43 bytes each at most: no file can be written (\(fault))",
                    metadata: record.fields)
            }
            try await suppressed?.exclude(from: &chunk, asking: ledger, now: clock())
            if !chunk.recipients.isEmpty {
                step.batches.append(PlannedBatch(number: number, recipients: chunk.recipients))
                number += 1
                bytes += chunk.bytes
            }
            step.exclusions += chunk.exclusions
            step.reachedBefore += chunk.reachedBefore
            step.unverified += chunk.unverified
            guard buffer.isFull(withRows: planner.rows - written, bytes: bytes) || !hasMore else { continue }
            step.rowsRead = planner.rows
            step.sourceChecksum = Int64(bitPattern: planner.rowsChecksum)
            step.ending = hasMore ? .more : .whole
            var entry = PlanBuffer.Entry(step: step, rows: planner.rows - written, record: record)
            if !hasMore { entry.ignored = planner.ignored }
            buffer.append(entry)
            written = planner.rows
            bytes = 0
            step = PlanStep(mailing: record.id)
            if buffer.isFull(), try await write(&buffer).contains(record.id) { return }
        }
    }

    /// A mailing's first step since this planner looks after it. A planning that is taken up again must read the file it began with.
    private func firstStep(_ record: MailingRecord, _ source: RecipientSource) throws -> PlanStep {
        let file = try FileStamp(path: source.file)
        var step = PlanStep(mailing: record.id)
        guard record.rowsRead > 0, let size = record.sourceSize, let modified = record.sourceModified else {
            step.sourceSize = file.size
            step.sourceModified = file.modified
            return step
        }
        guard size == file.size, modified == file.modified else {
            throw RecipientPlanner.changedSince(record.rowsRead, source)
        }
        return step
    }

    /// What the rows of a mailing are judged by beside their addresses; nil for nothing, and where the provider is not known here.
    private func bodyCheck(_ record: MailingRecord) -> BodyCheck? {
        (try? MailingPreparation.provider(record.mailing.provider, providers)).flatMap { try? BodyCheck(record.mailing, $0) }
    }
}
