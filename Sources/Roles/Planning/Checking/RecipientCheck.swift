package import Ledger
package import Model

/// What the planner makes of a file of recipients: how many it sends to, and whom it excludes. Nothing is written.
package struct RecipientCheck: Sendable {
    /// Rows that are excluded for one reason.
    package struct Excluded: Sendable {
        package let reason: ExclusionReason
        package fileprivate(set) var count = 0
        /// The first of them.
        package fileprivate(set) var first: [Exclusion] = []
    }

    package private(set) var rows = 0
    package private(set) var recipients = 0
    /// Recipients whose telephone number is possible and in no range that is known.
    package private(set) var unverified = 0
    /// In the order of the reasons' names; only those that rows have.
    package private(set) var excluded: [Excluded] = []
    /// NDJSON: keys that are ignored because none of the first objects has them.
    package private(set) var ignored: [NDJSONReader.IgnoredKey] = []
    /// The first recipients, up to a batch, by the mailing's fields; nil where all rows are excluded.
    package private(set) var first: Recipients?

    /// Rows that are kept of each reason.
    private static let shown = 3

    /// Who is suppressed, by a ledger's list.
    package struct Suppressed: Sendable {
        let addresses: SuppressedAddresses
        let ledger: any SuppressionStore

        /// Nil where the list has nobody.
        package init?(in ledger: any SuppressionStore, for mailing: Mailing, source: RecipientSource) async throws {
            let target = SuppressionTarget(mailing.channel, category: mailing.category ?? "")
            let list = try await ledger.suppressionList()
            let bytes = try FileStamp(path: source.file).size
            guard let found = try await SuppressedAddresses.load(list, for: target, sourceBytes: bytes, from: ledger) else { return nil }
            (addresses, self.ledger) = (found, ledger)
        }
    }

    /// Reads the file to its end, as the planner does.
    /// - Parameters:
    ///   - mailing: of a prepared job, with its fields; of a mailing with faults in its templates, any.
    ///   - provider: makes the bodies; nil judges no bodies.
    ///   - now: milliseconds since 1970.
    /// - Throws: `InputError`; `LedgerError` while the suppressions cannot be asked.
    package init(
        _ source: RecipientSource, _ mailing: Mailing, _ provider: Provider?, suppressed: Suppressed?, now: Int64
    ) async throws {
        var planner = try RecipientPlanner(
            source: source, channel: mailing.channel, keeping: Set(mailing.fields.dropFirst(2)),
            bounds: .init(size: BatchSize.of(mailing, speed: mailing.speed)),
            excluding: .init(suppressed: suppressed?.addresses, check: try provider.flatMap { try BodyCheck(mailing, $0) }))
        var chunk = planner.makeChunk()
        var reasons: [ExclusionReason: Excluded] = [:]
        while try planner.next(&chunk) {
            if let suppressed { try await suppressed.addresses.exclude(from: &chunk, asking: suppressed.ledger, now: now) }
            if first == nil, !chunk.recipients.isEmpty { first = chunk.recipients }
            recipients += chunk.recipients.count
            unverified += chunk.unverified
            for exclusion in chunk.exclusions {
                var known = reasons[exclusion.reason] ?? Excluded(reason: exclusion.reason)
                known.count += 1
                if known.first.count < Self.shown { known.first.append(exclusion) }
                reasons[exclusion.reason] = known
            }
        }
        rows = planner.rows
        ignored = planner.ignored
        excluded = reasons.values.sorted { $0.reason.rawValue < $1.reason.rawValue }
    }
}
