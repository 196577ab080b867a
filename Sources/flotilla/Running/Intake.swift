import ArgumentParser
import Ledger
import Model
import Planning

/// Decides whether a mailing file is a new mailing, one to go on with, or one that was sent.
struct Intake {
    enum Decision: Equatable {
        case new
        case goOn(MailingID, MailingState)
        case finished(MailingID)
    }

    struct Changed: Error, CustomStringConvertible {
        let description: String
    }

    let ledger: SQLiteLedger
    let job: PreparedJob
    let origin: String
    /// A mailing that was sent is sent again as a new one.
    let again: Bool

    /// - Throws: `Changed` when the mailing is half sent and its file is another now.
    func plan() async throws -> Decision {
        if let record = try await ledger.unfinished(origin: origin) {
            guard isSame(record) else {
                throw Changed(
                    description: """
                        \(origin) has changed, or is sent with other options, since its mailing \(record.id) was begun, which \
                        is not at its end (\(record.state.rawValue)). Take the change back to go on with it, or end it \
                        first: flotilla mailing stop \(record.id)
                        """)
            }
            return .goOn(record.id, record.state)
        }
        guard !again, let record = try await ledger.latest(origin: origin), [.sent, .stopped].contains(record.state),
            isSame(record), isFileUnchanged(record)
        else { return .new }
        return .finished(record.id)
    }

    private func isSame(_ record: MailingRecord) -> Bool {
        // A start that had passed is forgotten when a person lets the mailing go on.
        let isStartForgotten = record.start == nil && (job.start ?? .max) <= Clock.milliseconds()
        return record.mailing == job.mailing && record.source == job.source
            && (record.start == job.start || isStartForgotten)
    }

    /// Another file of recipients under the same name is another mailing.
    private func isFileUnchanged(_ record: MailingRecord) -> Bool {
        guard let size = record.sourceSize, let modified = record.sourceModified,
            let stamp = try? FileStamp(path: job.source.file)
        else { return true }
        return size == stamp.size && modified == stamp.modified
    }

    /// Writes the decision down.
    func commit() async throws -> MailingID {
        let now = Clock.milliseconds()
        if case .goOn(let id, let state) = try await plan() {
            // One that was held because it is late is held again: only a person lets it go on.
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
