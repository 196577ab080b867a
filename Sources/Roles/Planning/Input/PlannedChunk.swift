package import Model
import Ledger

/// Rows that the planner has read: the recipients of at most one batch, and the rows that it excluded.
package struct PlannedChunk: Sendable {
    /// The batch; empty where all rows were excluded.
    package internal(set) var recipients: Recipients
    /// Bytes of the batch in its wire form, about.
    var bytes = 0
    /// Rows that were excluded.
    package internal(set) var exclusions: [Exclusion] = []
    /// Rows that an earlier mailing has reached: excluded too, and not listed.
    package internal(set) var reachedBefore = 0
    /// Recipients whose telephone number is possible and in no range that is known.
    package internal(set) var unverified = 0
    /// Recipients of the batch about whom the ledger is asked whether they are suppressed.
    var candidates: [Candidate] = []
    /// Rows of the file read when the chunk was cut: planning goes on behind this row after a restart.
    package internal(set) var rows = 0

    /// After so many excluded rows a chunk ends even if its batch is not full, so that its memory is bounded.
    package static let exclusionLimit = 5000
    /// After so many who were reached before a chunk ends too, so that a stop is noticed soon.
    static let reachedLimit = 50_000

    /// A recipient that may be suppressed.
    struct Candidate {
        /// Its place in `recipients`.
        var place: Int
        /// The row of the file.
        var row: Int
        /// The `AddressKey`.
        var key: String
        /// Its telephone number is in no range that is known.
        var isUnverified: Bool
    }

    init(width: Int) { recipients = Recipients(width: width) }

    mutating func removeAll() {
        recipients.removeAll()
        bytes = 0
        exclusions.removeAll(keepingCapacity: true)
        reachedBefore = 0
        unverified = 0
        candidates.removeAll(keepingCapacity: true)
    }

    /// Moves candidates to the exclusions.
    /// - Parameter suppressed: what suppresses them, by their place among the candidates.
    mutating func exclude(_ suppressed: [Int: Suppression]) {
        guard !suppressed.isEmpty else { return }
        var leaving = Set<Int>()
        for (index, suppression) in suppressed {
            let candidate = candidates[index]
            leaving.insert(candidate.place)
            if candidate.isUnverified { unverified -= 1 }
            exclusions.append(
                Exclusion(
                    row: candidate.row, reason: .suppressed, id: recipients[candidate.place, 0],
                    address: recipients[candidate.place, 1], detail: suppression.words))
        }
        recipients.remove(leaving)
    }
}
