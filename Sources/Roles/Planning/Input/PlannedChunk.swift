package import Model

/// What the planner made of some rows: the recipients of at most one batch, and what was left out among them.
package struct PlannedChunk: Sendable {
    /// The batch; empty where all rows were left out.
    package internal(set) var recipients: Recipients
    /// Rows that were left out.
    package internal(set) var exclusions: [Exclusion] = []
    /// Rows of the file read when the chunk was cut: planning goes on behind this row after a restart.
    package internal(set) var rows = 0

    /// With so many rows left out, a chunk is cut even if its batch is not full, so that its memory has a bound.
    package static let exclusionLimit = 5000

    init(width: Int) { recipients = Recipients(width: width) }

    mutating func removeAll() {
        recipients.removeAll()
        exclusions.removeAll(keepingCapacity: true)
    }
}
