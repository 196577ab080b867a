import Ledger
import Logging
import Model

extension PlannerService {
    /// Reads the recipients of a mailing into the buffer, and writes that whenever it is full.
    /// - Throws: `LedgerError`; `InputError` and `TemplateError` when the recipients cannot be read.
    func read(_ record: MailingRecord, into buffer: inout PlanBuffer, _ look: Look, isStopping: @escaping () -> Bool) async throws {
        guard let source = record.source else {
            throw InputError(file: record.origin, problem: "names no recipients")
        }
        guard let upload = look.uploads[record.id] else {
            let stamp = try FileStamp(path: source.file)
            let step = try firstStep(record, size: stamp.size, modified: stamp.modified)
            return try await read(record, source, from: step, into: &buffer, look.suppressions, isStopping: isStopping)
        }
        guard let stored = try await StoredSource.read(upload, of: record, from: ledger, isStopping: isStopping) else {
            return buffer.remove(record.id)
        }
        do {
            let step = try firstStep(record, size: upload.bytes, modified: upload.modified)
            try await read(record, stored.source(source), from: step, into: &buffer, look.suppressions, isStopping: isStopping)
        } catch let error as InputError {
            throw error.naming(StoredSource.name(record))
        }
    }

    /// - Parameters:
    ///   - first: the mailing's first step since this planner looks after it.
    ///   - list: the suppressions as they were before.
    private func read(
        _ record: MailingRecord, _ source: RecipientSource, from first: PlanStep, into buffer: inout PlanBuffer,
        _ list: SuppressionList, isStopping: @escaping () -> Bool
    ) async throws {
        var reading = PlanReading(record, from: first)
        // A release that knew no suppressions may have planned the first rows; what is noted already stays.
        reading.step.suppressionRevision = record.rowsRead > 0 ? 0 : list.revision
        let target = SuppressionTarget(record.mailing.channel, category: record.mailing.category ?? "")
        let suppressed = try await SuppressedAddresses.load(
            list, for: target, sourceBytes: FileStamp(path: source.file).size, from: ledger, isStopping: isStopping)
        var planner = try await planner(record, source, suppressed, isStopping: isStopping)
        var chunk = planner.makeChunk()
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
            try await suppressed?.exclude(from: &chunk, asking: ledger, now: clocks.milliseconds)
            reading.add(chunk)
            guard buffer.isFull(withRows: planner.rows - reading.written, bytes: reading.bytes) || !hasMore else { continue }
            buffer.append(reading.takeEntry(upTo: planner, hasMore: hasMore))
            if buffer.isFull(), try await write(&buffer).contains(record.id) { return }
        }
    }

    /// What reads and checks the rows that are left of a mailing.
    private func planner(
        _ record: MailingRecord, _ source: RecipientSource, _ suppressed: SuppressedAddresses?, isStopping: @escaping () -> Bool
    ) async throws -> RecipientPlanner {
        var planner = try RecipientPlanner(
            source: source, channel: record.mailing.channel, keeping: Set(record.mailing.fields.dropFirst(2)),
            bounds: .init(size: BatchSize.of(record), bytes: batchBytes),
            after: .init(record.rowsRead, checksum: record.sourceChecksum.map(UInt64.init(bitPattern:))),
            excluding: .init(suppressed: suppressed, check: bodyCheck(record)), isStopping: isStopping)
        guard planner.fields == record.mailing.fields else {
            throw InputError(file: source.file, problem: "has other columns than when the mailing was made")
        }
        if record.onlyNew { try await planner.excludeReached(before: record.id, in: ledger, isStopping: isStopping) }
        return planner
    }

    /// A mailing's first step since this planner looks after it.
    private func firstStep(_ record: MailingRecord, size: Int64, modified: Int64) throws(InputError) -> PlanStep {
        try record.requireBegun(size: size, modified: modified)
        var step = PlanStep(mailing: record.id)
        if record.rowsRead == 0 || record.sourceSize == nil {
            step.sourceSize = size
            step.sourceModified = modified
        }
        return step
    }

    /// What the rows of a mailing are judged by beside their addresses; nil for nothing, and where the provider is not known here.
    private func bodyCheck(_ record: MailingRecord) -> BodyCheck? {
        (try? MailingPreparation.provider(record.mailing.provider, providers)).flatMap { try? BodyCheck(record.mailing, $0) }
    }
}
