import ArgumentParser
import Ledger
import Model
import Planning

/// Decides whether a mailing file is a new mailing, one to continue, or one that has ended.
struct MailingResolver {
    enum Decision: Equatable {
        case new
        case resume(MailingID, MailingState)
        case finished(MailingID)
    }

    struct Changed: Error, CustomStringConvertible {
        let description: String
    }

    let ledger: SQLiteLedger
    let job: PreparedJob
    let origin: String
    /// A mailing that has ended is sent again as a new one.
    let again: Bool

    /// - Throws: `Changed` when the mailing has begun and its file or the options differ now.
    func resolve() async throws -> Decision {
        if let record = try await ledger.unfinished(origin: origin) {
            guard isSame(record) else {
                throw Changed(
                    description: """
                        \(origin) or the options have changed since its mailing \(record.id) began, which has not ended \
                        (\(record.state.rawValue)). Undo the change to continue it, or end it first: flotilla mailing stop \(record.id)
                        """)
            }
            return .resume(record.id, record.state)
        }
        guard !again, let record = try await ledger.latest(origin: origin), [.sent, .stopped].contains(record.state),
            isSame(record), isFileUnchanged(record)
        else { return .new }
        return .finished(record.id)
    }

    private func isSame(_ record: MailingRecord) -> Bool {
        // When a person resumes a mailing whose start has passed, the ledger drops the start.
        let isStartForgotten = record.start == nil && (job.start ?? .max) <= Clock.milliseconds()
        return record.mailing == job.mailing && record.source == job.source
            && (record.start == job.start || isStartForgotten)
    }

    /// A recipients' file with the same name and other contents makes a new mailing.
    private func isFileUnchanged(_ record: MailingRecord) -> Bool {
        guard let size = record.sourceSize, let modified = record.sourceModified,
            let stamp = try? FileStamp(path: job.source.file)
        else { return true }
        return size == stamp.size && modified == stamp.modified
    }

    /// Writes the decision to the ledger.
    func commit() async throws -> MailingID {
        let now = Clock.milliseconds()
        if case .resume(let id, let state) = try await resolve() {
            // A mailing that is late for its start stays paused: only a person resumes it.
            if state == .paused { _ = try await ledger.resume(id, atOnce: false, now: now) }
            return id
        }
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: now, using: &generator)
        try await ledger.create(
            id, mailing: job.mailing, source: job.source, origin: origin, state: .scheduled, start: job.start,
            now: now)
        return id
    }
}
