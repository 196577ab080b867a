import Ledger
import Model
import Synchronization

/// Uploads of a ledger, of which one slice waits before it is stored.
final class PausingUploads: UploadStore {
    let pause = Pause()
    private let ledger: any UploadStore
    private let number: Int
    private let count = Mutex(0)

    /// - Parameter number: of the slice, from 0.
    init(_ ledger: any UploadStore, at number: Int) { (self.ledger, self.number) = (ledger, number) }

    /// Slices that were stored.
    var appended: Int { count.withLock { $0 } }

    func append(_ slice: [UInt8], number: Int, to id: MailingID, by holder: String) async throws(LedgerError) {
        if number == self.number { await pause.wait() }
        try await ledger.append(slice, number: number, to: id, by: holder)
        count.withLock { $0 += 1 }
    }

    func beginUpload(_ id: MailingID, by holder: String, modified: Int64) async throws(LedgerError) -> Bool {
        try await ledger.beginUpload(id, by: holder, modified: modified)
    }
    func finishUpload(_ id: MailingID, by holder: String, digest: String) async throws(LedgerError) {
        try await ledger.finishUpload(id, by: holder, digest: digest)
    }
    func abandonUpload(_ id: MailingID, by holder: String) async throws(LedgerError) { try await ledger.abandonUpload(id, by: holder) }
    func uploads() async throws(LedgerError) -> [MailingID: RecipientUpload] { try await ledger.uploads() }
    func isStoringUploads() async throws(LedgerError) -> Bool { try await ledger.isStoringUploads() }
    func slice(_ number: Int, of id: MailingID) async throws(LedgerError) -> [UInt8]? { try await ledger.slice(number, of: id) }
    func removeUploads() async throws(LedgerError) -> Bool { try await ledger.removeUploads() }
    func note(_ fault: SourceFault, of id: MailingID, now: Int64) async throws(LedgerError) {
        try await ledger.note(fault, of: id, now: now)
    }
    func sourceFaults() async throws(LedgerError) -> [MailingID: [SourceFault]] { try await ledger.sourceFaults() }
    func unreadSources(limit: Int) async throws(LedgerError) -> [MailingRecord] { try await ledger.unreadSources(limit: limit) }
}

/// Somebody waits at a place until they are let go.
final class Pause: Sendable {
    private let (reached, reachedSource) = AsyncStream.makeStream(of: Void.self)
    private let (released, releasedSource) = AsyncStream.makeStream(of: Void.self)

    /// Waits, also where the task is cancelled.
    func wait() async {
        reachedSource.yield()
        await Task { [released] in for await _ in released { return } }.value
    }

    /// Waits until somebody waits.
    func arrived() async { for await _ in reached { return } }

    func go() { releasedSource.yield() }
}
