package import Model

/// The recipients' files that the ledger keeps until their mailings are planned, so that a planner on any machine can read them: in slices,
/// each of which is a transaction of its own. And what planners say of files that they cannot read.
package protocol UploadStore: Sendable {
    /// Begins to store the recipients of a mailing, which need not be in the ledger yet. An upload that another holder has begun
    /// continues, unless nothing has come for `UploadLimit.silence`.
    /// - Parameters:
    ///   - holder: who stores them: slices of two holders never mix.
    ///   - modified: when the file was modified, in milliseconds since 1970.
    /// - Returns: false where they are stored already, or somebody else stores them now.
    func beginUpload(_ id: MailingID, by holder: String, modified: Int64) async throws(LedgerError) -> Bool

    /// Stores the slice of a number, from 0 and one after the other; `UploadLimit.slice` bytes at most.
    /// - Throws: `LedgerError.refused` where another holder has taken over, or the slice is not the next one.
    func append(_ slice: [UInt8], number: Int, to id: MailingID, by holder: String) async throws(LedgerError)

    /// Ends an upload: from now on the mailing is planned from it.
    /// - Parameter digest: SHA-256 of the whole, in hexadecimal digits.
    func finishUpload(_ id: MailingID, by holder: String, digest: String) async throws(LedgerError)

    /// Gives up an upload that is not wanted any more; what is stored of it is removed later.
    func abandonUpload(_ id: MailingID, by holder: String) async throws(LedgerError)

    /// The recipients that are stored as a whole; those whose row cannot be read have a damage.
    func uploads() async throws(LedgerError) -> [MailingID: RecipientUpload]

    /// Whether somebody stores recipients now: something has come of an upload within `UploadLimit.silence`.
    func isStoringUploads() async throws(LedgerError) -> Bool

    /// A slice of an upload; nil behind the last.
    func slice(_ number: Int, of id: MailingID) async throws(LedgerError) -> [UInt8]?

    /// Removes some slices of mailings that are planned or have ended, and of uploads that nobody has gone on with for a day.
    /// - Returns: whether there may be more.
    func removeUploads() async throws(LedgerError) -> Bool

    /// Notes that a machine cannot read a mailing's recipients.
    func note(_ fault: SourceFault, of id: MailingID, now: Int64) async throws(LedgerError)

    /// What machines say of the recipients of mailings that wait for their planning, by mailing.
    func sourceFaults() async throws(LedgerError) -> [MailingID: [SourceFault]]

    /// The mailings that wait because a planner cannot read their recipients, which nobody has stored yet.
    func unreadSources(limit: Int) async throws(LedgerError) -> [MailingRecord]
}

/// The recipients of a mailing, as the ledger keeps them.
package struct RecipientUpload: Sendable, Equatable {
    package var bytes: Int64
    /// When the file was modified, in milliseconds since 1970.
    package var modified: Int64
    /// SHA-256 of the whole, in hexadecimal digits.
    package var digest: String
    /// Why its row cannot be read; the rest says nothing then.
    package var damage: String?

    package init(bytes: Int64, modified: Int64, digest: String) {
        self.bytes = bytes
        self.modified = modified
        self.digest = digest
    }
}

/// Why the recipients of a mailing cannot be read on a machine.
package struct SourceFault: Sendable, Equatable {
    package var host: String
    /// What is wrong, with the path, for people.
    package var problem: String

    package init(host: String, problem: String) {
        self.host = host
        self.problem = problem
    }
}

extension SourceFault: CustomStringConvertible {
    package var description: String { "on \(host): \(problem)" }
}

/// The bounds of an upload.
package enum UploadLimit {
    /// Bytes of a slice.
    package static let slice = 256 << 10
    /// Bytes of a file.
    package static let file: Int64 = 8 << 30
    /// How long the holder of an upload may be silent before another begins anew.
    static let silence = Duration.seconds(60)
    /// After so long an upload of a mailing that was never added is removed.
    static let abandoned = Duration.seconds(86_400)
    /// Slices that are removed in one transaction.
    static let removed = 32
}
