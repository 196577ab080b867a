/// A mailing with its counters and what is next, all of one read.
package struct MailingStatus: Sendable, Equatable {
    package var record: MailingRecord
    package var progress: MailingProgress
    /// When its next batch may be dispatched, in milliseconds since 1970, 0 for at once; nil where none is left.
    package var next: Int64?
    /// What the brake has found since it was resumed last.
    package var brake: [NotedBrakeFinding] = []
}
