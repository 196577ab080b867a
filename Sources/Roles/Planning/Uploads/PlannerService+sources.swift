import Ledger
import Logging
import Model

extension PlannerService {
    /// What a planner of a fleet does about recipients that it cannot read.
    package struct Sharing: Sendable {
        /// Names this machine for people.
        package var host: String
        /// How long planners on other machines have to put a file into the ledger before the mailing is paused.
        package var uploadTime: Duration

        package init(host: String, uploadTime: Duration = .seconds(60)) {
            self.host = host
            self.uploadTime = uploadTime
        }
    }

    /// Leaves a mailing to a planner on another machine, or pauses it where none could read its recipients either. While a file is put into
    /// the ledger, be it another mailing's that comes before it, its time does not run.
    func leave(_ record: MailingRecord, _ error: InputError, as sharing: Sharing, _ left: inout LeftMailings) async throws(LedgerError) {
        let waited = left.leave(record.id, now: clocks.milliseconds)
        try await ledger.note(SourceFault(host: sharing.host, problem: "\(error)"), of: record.id, now: clocks.milliseconds)
        guard let waited else {
            logger.error(
                """
                mailing \(record.id) waits: its recipients cannot be read on \(sharing.host) (\(error)). It is left to a planner that can; \
                flotilla mailing add --upload puts them into the ledger at once
                """, metadata: record.fields)
            return
        }
        guard waited >= sharing.uploadTime.milliseconds else { return }
        if try await ledger.isStoringUploads() { return left.postpone(record.id, now: clocks.milliseconds) }
        let reason = StateReason(kind: .input, text: try await nobodyReads(record))
        guard try await ledger.setState(record.id, to: .paused, from: [.scheduled, .collecting], reason: reason, now: clocks.milliseconds)
        else {
            return
        }
        logger.error("mailing \(record.id) is paused: \(reason.text)", metadata: record.fields)
    }

    private func nobodyReads(_ record: MailingRecord) async throws(LedgerError) -> String {
        let faults = try await ledger.sourceFaults()[record.id] ?? []
        return """
            no planner can read its recipients (\(faults.map(\.description).joined(separator: "; "))). Put the file there, and \
            flotilla mailing resume \(record.id) lets it go on
            """
    }
}

extension MailingRecord {
    /// A planning that is taken up again must read the file it began with.
    /// - Parameter modified: when the file was modified, in milliseconds since 1970.
    func requireBegun(size: Int64, modified: Int64) throws(InputError) {
        guard rowsRead > 0, let source, let begun = sourceSize, begun != size || sourceModified != modified else { return }
        throw RecipientPlanner.changedSince(rowsRead, source)
    }
}
