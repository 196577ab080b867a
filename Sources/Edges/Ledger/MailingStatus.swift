/// A mailing and where it stands, all of one reading.
package struct MailingStatus: Sendable, Equatable {
    package var record: MailingRecord
    package var progress: MailingProgress
    /// When its next batch can be fed, in milliseconds since 1970, 0 for at once; nil where none is left.
    package var next: Int64?
}

/// The name of before.
package typealias MailingStanding = MailingStatus
