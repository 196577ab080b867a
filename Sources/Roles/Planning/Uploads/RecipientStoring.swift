package import Ledger
package import Model

/// Puts the recipients' file of a mailing into the ledger, for planners on machines that cannot read it.
package struct RecipientStoring: Sendable {
    private let ledger: any UploadStore
    private let source: RecipientSource
    private let holder: String

    /// - Parameter holder: who stores it, by a name that nobody else has.
    package init(_ source: RecipientSource, in ledger: any UploadStore, by holder: String) {
        self.source = source
        self.ledger = ledger
        self.holder = holder
    }

    /// Stores it slice by slice. It ends with the slice at which it is cancelled.
    /// - Returns: false where it is stored already, or somebody else stores it now.
    /// - Throws: `InputError` where the file cannot be read, is too large, or changes meanwhile; `LedgerError`; `CancellationError`. What
    ///   is stored by then is removed later.
    package func store(_ id: MailingID) async throws -> Bool {
        let stamp = try FileStamp(path: source.file)
        guard stamp.size <= UploadLimit.file else {
            throw InputError(file: source.file, problem: "has \(stamp.size) bytes; \(UploadLimit.file) are the most that the ledger takes")
        }
        let file = try InputFile(path: source.file)
        guard try await ledger.beginUpload(id, by: holder, modified: stamp.modified) else { return false }
        do {
            let digest = UploadDigest()
            var number = 0
            var bytes: Int64 = 0
            while true {
                let slice = try file.nextBytes()
                if slice.isEmpty { break }
                bytes += Int64(slice.count)
                // One that grows meanwhile would have no bound.
                guard bytes <= stamp.size else { throw changed }
                try Task.checkCancellation()
                digest.add(slice)
                try await ledger.append(slice, number: number, to: id, by: holder)
                number += 1
            }
            guard try FileStamp(path: source.file) == stamp else { throw changed }
            try await ledger.finishUpload(id, by: holder, digest: digest.finish())
        } catch {
            try? await ledger.abandonUpload(id, by: holder)
            throw error
        }
        return true
    }

    private var changed: InputError {
        InputError(file: source.file, problem: "has changed while it was put into the ledger; do it again when it is whole")
    }
}
