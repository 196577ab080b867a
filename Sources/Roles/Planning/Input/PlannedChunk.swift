package import Model

/// Rows that the planner has read: the recipients of at most one batch, and the rows that it excluded.
package struct PlannedChunk: Sendable {
    /// The batch; empty where all rows were excluded.
    package internal(set) var recipients: Recipients
    /// Rows that were excluded.
    package internal(set) var exclusions: [Exclusion] = []
    /// Recipients whose telephone number is possible and in no range that is known.
    package internal(set) var unverified = 0
    /// Rows of the file read when the chunk was cut: planning goes on behind this row after a restart.
    package internal(set) var rows = 0

    /// After so many excluded rows a chunk ends even if its batch is not full, so that its memory is bounded.
    package static let exclusionLimit = 5000

    init(width: Int) { recipients = Recipients(width: width) }

    mutating func removeAll() {
        recipients.removeAll()
        exclusions.removeAll(keepingCapacity: true)
        unverified = 0
    }
}
