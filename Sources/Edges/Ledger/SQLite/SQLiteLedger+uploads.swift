package import Model

/// By the shared statements alone.
extension SQLiteLedger: UploadStore {
    private var shared: SQLLedger { SQLLedger(self) }

    package func beginUpload(_ id: MailingID, by holder: String, modified: Int64) async throws(LedgerError) -> Bool {
        try await shared.beginUpload(id, by: holder, modified: modified)
    }

    package func append(_ slice: [UInt8], number: Int, to id: MailingID, by holder: String) async throws(LedgerError) {
        try await shared.append(slice, number: number, to: id, by: holder)
    }

    package func finishUpload(_ id: MailingID, by holder: String, digest: String) async throws(LedgerError) {
        try await shared.finishUpload(id, by: holder, digest: digest)
    }

    package func abandonUpload(_ id: MailingID, by holder: String) async throws(LedgerError) {
        try await shared.abandonUpload(id, by: holder)
    }

    package func uploads() async throws(LedgerError) -> [MailingID: RecipientUpload] { try await shared.uploads() }

    package func slice(_ number: Int, of id: MailingID) async throws(LedgerError) -> [UInt8]? {
        try await shared.slice(number, of: id)
    }

    package func removeUploads() async throws(LedgerError) -> Bool { try await shared.removeUploads() }

    package func note(_ fault: SourceFault, of id: MailingID, now: Int64) async throws(LedgerError) {
        try await shared.note(fault, of: id, now: now)
    }

    package func sourceFaults() async throws(LedgerError) -> [MailingID: [SourceFault]] { try await shared.sourceFaults() }

    package func unreadSources(limit: Int) async throws(LedgerError) -> [MailingRecord] {
        try await shared.unreadSources(limit: limit)
    }
}
