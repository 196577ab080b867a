import Logging
import Model

extension Dispatcher {
    /// What workers see of a mailing, and what stays the same of it.
    struct Shown {
        var state: MailingState
        var speed: String
        var name: String
        /// That of its first channel: it decides how much of the mailing is dispatched.
        var lane: Lane
        /// Those of its further channels.
        var lanes: [Channel: Lane] = [:]
        var fields: Logger.Metadata
        /// Bytes of one of its batches, lately; 0 before the first.
        var batchBytes = 0.0

        /// All of its lanes.
        var all: [Lane] { [lane] + lanes.values }

        func lane(of batch: DispatchedBatch) -> Lane { batch.channel.flatMap { lanes[$0] } ?? lane }

        mutating func note(bytes: Int) { batchBytes = batchBytes == 0 ? Double(bytes) : batchBytes + (Double(bytes) - batchBytes) / 4 }
    }
}
