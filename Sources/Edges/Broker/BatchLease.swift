package import Model

/// A batch in flight. Worker and deliveries together are the fencing token by which Redis tells whether it still is.
package struct BatchLease: Sendable {
    package let batch: DispatchedBatch
    package let lane: Lane
    /// The name of its entry in the lane.
    package let entry: String
    /// The worker that has it.
    package let worker: String
    /// How often it was handed out, from 1.
    package let deliveries: Int
    /// It was handed out for the first time, and nobody can have started anything of it.
    package let isNew: Bool
    /// The epoch that it was dispatched in.
    package let epoch: Epoch
    /// The worker that had it before and whose lease has expired; nil at the first time.
    package let from: String?

    package init(
        batch: DispatchedBatch, lane: Lane, entry: String, worker: String, deliveries: Int, isNew: Bool, epoch: Epoch, from: String? = nil
    ) {
        self.batch = batch
        self.lane = lane
        self.entry = entry
        self.worker = worker
        self.deliveries = deliveries
        self.isNew = isNew
        self.epoch = epoch
        self.from = from
    }
}
