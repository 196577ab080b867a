package import Model

/// A batch in flight.
package struct BatchLease: Sendable {
    /// The fencing token of a batch: its worker and delivery, by which Redis knows whether the batch still belongs to that worker.
    package struct Holder: Sendable {
        package let worker: String
        /// How often the batch was delivered to a worker, from 1.
        package let deliveries: Int

        package init(worker: String, deliveries: Int) {
            self.worker = worker
            self.deliveries = deliveries
        }
    }

    package let batch: DispatchedBatch
    package let lane: Lane
    /// The name of its entry in the lane.
    package let entry: String
    package let holder: Holder
    /// It was delivered for the first time: nobody can have started a message of it.
    package let isNew: Bool
    /// The epoch that it was dispatched in.
    package let epoch: Epoch
    /// The worker that had it before, whose lease has expired; nil for the first delivery.
    package let from: String?

    package init(
        batch: DispatchedBatch, lane: Lane, entry: String, holder: Holder, isNew: Bool, epoch: Epoch, from: String? = nil
    ) {
        self.batch = batch
        self.lane = lane
        self.entry = entry
        self.holder = holder
        self.isNew = isNew
        self.epoch = epoch
        self.from = from
    }
}
