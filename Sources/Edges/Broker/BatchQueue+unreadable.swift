import Logging
import Model
import Policy

/// An entry of a lane that a worker was given and that is no batch that it can read.
struct UnreadableBatch: Sendable {
    var lane: Lane
    var entry: StreamEntry
    /// How often it was handed out, from 1.
    var deliveries: Int
    var why: String
}

extension BatchQueue {
    /// Keeps a batch as a dead letter whose entry could be read, but not its recipients. The caller closes the batch as released: it is
    /// dispatched again from the ledger.
    package func keepUnreadable(_ lease: BatchLease, why: String) async throws(RedisError) {
        DeadLetters.count(.lane)
        try await DeadLetters(broker).keep(lease.entry, of: lease.lane, why: why, isRemoved: false)
    }

    /// Moves batches that a worker cannot read to the dead letters, and returns them to the ledger, which has them whole.
    /// Recipients that another worker had started are uncertain.
    func reject(_ unreadable: [UnreadableBatch], worker: String) async throws(RedisError) {
        for item in unreadable {
            DeadLetters.count(.lane)
            if let count = broker.unreadable.add() {
                broker.logger.error(
                    """
                    entry \(item.entry.id) of lane \(item.lane) is no batch that this release can read (\(item.why)): it is a dead \
                    letter now (flotilla dead list), and its batch is dispatched again\(RepeatedLine.text(count))
                    """)
            }
            let lease = try await lease(of: item, worker: worker)
            try await DeadLetters(broker).keep(item.entry.id, of: item.lane, why: item.why, isRemoved: lease == nil)
            // No longer ours: the worker that has it rejects it too.
            guard let lease, let marks = try await marks(lease) else { continue }
            _ = try await report(try await release(lease, marks), of: lease)
        }
    }

    /// The lease of a batch of which only mailing and number can be read; nil where they cannot, or Redis has no such dispatch.
    private func lease(of item: UnreadableBatch, worker: String) async throws(RedisError) -> BatchLease? {
        guard let mailing = MailingID(item.entry.text("m")), let number = try? item.entry.int("b", in: WireLimit.count) else { return nil }
        let replies = try await broker.redis.pipeline([
            ["HGET", .text(broker.keys.dispatched(mailing)), RedisArgument(number)], ["GET", .text(broker.keys.epoch)],
        ])
        for case .error(let text) in replies { throw .command(text) }
        guard let dispatch = replies[0].int, WireLimit.count.contains(dispatch), let epoch = replies[1].text else { return nil }
        let batch = DispatchedBatch(
            id: BatchID(mailing: mailing, number: Int(number)), dispatchNumber: Int(dispatch), recipients: [], count: 0, open: [],
            expires: WireLimit.time.upperBound, dispatched: 0)
        return BatchLease(
            batch: batch, lane: item.lane, entry: item.entry.id, holder: .init(worker: worker, deliveries: item.deliveries),
            isNew: false, epoch: Epoch(text: epoch))
    }

    /// The group of results that ends a batch of which this worker has sent nothing.
    private func release(_ lease: BatchLease, _ marks: Marks) async throws(RedisError) -> ResultGroup {
        let id = lease.batch.id
        let started = marks.bytes.indices.prefix(Int(WireLimit.index.upperBound)).filter { marks[$0] == .started }
        var results: [RecipientResult] = []
        if !started.isEmpty {
            let now = try await broker.time() / 1000
            let isHeld =
                switch try await PublishedMailings(broker).definition(id.mailing) {
                case .known(let known): known.mailing.uncertain == .hold
                case .gone: false
                case .unreadable, .newer: true
                }
            let response = ProviderResponse(
                missed: .workerEnded, stage: .body, text: "in flight when its worker ended, and its batch could not be read")
            results = started.map {
                RecipientResult(index: $0, state: .uncertain, attempts: 0, at: now, due: isHeld ? 0 : now, response: response)
            }
        }
        return ResultGroup(
            Dispatch(batch: id, dispatchNumber: lease.batch.dispatchNumber), worker: "\(lease.holder.worker).\(lease.entry)",
            provider: lease.lane.provider,
            sequence: 0, closing: .released, results: results)
    }
}
