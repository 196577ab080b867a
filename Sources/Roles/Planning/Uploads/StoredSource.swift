import Ledger
import Model
import Text

/// The recipients of a mailing as the ledger keeps them, in a file without a name that this process alone can read.
struct StoredSource {
    let upload: RecipientUpload
    private let file: ScratchFile

    /// Writes them into the file.
    /// - Parameter isStopping: asked before each slice.
    /// - Returns: nil where it was stopped.
    /// - Throws: `LedgerError`; `ScratchFile.Fault` where there is no room; `InputError` where they are not what was stored.
    static func read(
        _ upload: RecipientUpload, of record: MailingRecord, from ledger: any UploadStore, isStopping: () -> Bool
    ) async throws -> StoredSource? {
        if let damage = upload.damage { throw damaged(record, damage) }
        let file = try ScratchFile()
        let digest = UploadDigest()
        var number = 0
        var bytes: Int64 = 0
        // What is longer than it says takes no more room.
        while bytes <= upload.bytes, let slice = try await Self.slice(number, of: record, from: ledger) {
            if isStopping() { return nil }
            digest.add(slice)
            try slice.withUnsafeBytes { try file.append($0) }
            bytes += Int64(slice.count)
            number += 1
        }
        guard bytes == upload.bytes, digest.finish() == upload.digest else { throw damaged(record, "it is not what was stored") }
        return StoredSource(upload: upload, file: file)
    }

    private static func damaged(_ record: MailingRecord, _ why: String) -> InputError {
        InputError(file: name(record), problem: "is damaged (\(why)); add the mailing again")
    }

    /// A slice that is damaged fails its mailing alone.
    private static func slice(_ number: Int, of record: MailingRecord, from ledger: any UploadStore) async throws -> [UInt8]? {
        do throws(LedgerError) {
            return try await ledger.slice(number, of: record.id)
        } catch {
            guard case .corrupt(_, let detail) = error else { throw error }
            throw damaged(record, detail)
        }
    }

    /// The source, in the file.
    func source(_ source: RecipientSource) -> RecipientSource {
        var source = source
        source.file = file.path
        return source
    }

    /// What people know the file by.
    static func name(_ record: MailingRecord) -> String { "\(record.source?.file ?? ""), as it is stored in the ledger" }
}
