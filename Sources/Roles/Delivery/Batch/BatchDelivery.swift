import Broker
import Logging
import Model
import Policy
import Synchronization

/// Delivers one batch, from its lease to its closing report; the shell of `BatchState`. Kinds of send run side by side, and groups start
/// as limits and connections allow.
struct BatchDelivery: Sendable {
    let batch: InFlightBatch
    let mailing: PreparedMailing
    let recipients: Recipients
    /// Recipients to send to.
    let open: [OpenRecipient]
    let worker: WorkerContext
    /// The batch's share of the prefetched messages.
    let share: Prefetch.Share
    let rule: OutcomeRule
    let meters: DeliveryMeters
    let state: BatchStateBox

    var lease: BatchLease { batch.lease }
    var buffer: ResultBuffer { batch.buffer }

    init(
        batch: InFlightBatch, mailing: PreparedMailing, recipients: Recipients, open: [OpenRecipient], worker: WorkerContext,
        share: Prefetch.Share
    ) {
        self.batch = batch
        self.open = open
        self.mailing = mailing
        self.recipients = recipients
        self.worker = worker
        self.share = share
        state = BatchStateBox(open)
        rule = OutcomeRule(
            attempts: mailing.mailing.attempts,
            began: batch.lease.batch.expires - mailing.mailing.lifetimeMilliseconds,
            expires: batch.lease.batch.expires,
            retries: RetryRules(for: mailing.mailing.channel, override: worker.configuration.retries),
            uncertain: mailing.mailing.uncertain)
        meters = worker.meters.meters(channel: mailing.mailing.channel, provider: mailing.provider)
    }

    /// The next message may start, and its lifetime has not ended.
    var mayStart: Bool { worker.mayStart(mailing, batch) && !worker.hasExpired(lease.batch.expires) && !state.isEnded }

    /// Works until each recipient has a result or the rest is given back.
    func run() async {
        worker.logger.debug("taken, \(open.count) recipients to send to", metadata: fields)
        await withDiscardingTaskGroup { group in
            for (pool, open) in mailing.kinds(of: open, recipients) {
                let part = share.split(
                    open.count, PrefetchState.Kind(mailing: mailing.id, domain: pool.domain),
                    usable: mailing.usable(pool.domain, distance: pool.distance))
                group.addTask {
                    await send(open, pool, part)
                    part.giveBack()
                }
            }
        }
        await expire(open.map(\.index))
        guard let closing = state.withLock({ $0.close() }) else { return await buffer.leave() }
        await buffer.add(closing.results)
        await buffer.close(closing.closing)
        worker.logger.debug(closing.closing == .released ? "released" : "done", metadata: fields)
    }

    /// Sends to recipients that share their limits.
    private func send(_ open: [OpenRecipient], _ pool: ReservationPool, _ share: Prefetch.Share) async {
        let isLimited = pool.isActive
        let open = isLimited ? await postponed(open, pool, share) : open
        if open.isEmpty { return }
        pool.expect(open.count)
        if isLimited { await pool.entrance.acquire() }
        await withDiscardingTaskGroup { group in
            var next = 0
            while next < open.count, mayStart {
                guard let turn = await turn(open.count - next, pool, isFresh: open[next].attempts == 0) else { break }
                let slice = open[next..<next + turn.count].map(\.index)
                next += slice.count
                await mailing.link.limiter.acquire()
                group.addTask {
                    await GroupDelivery(batch: self, pool: pool, share: share).run(slice, turn)
                }
            }
            if isLimited { pool.entrance.release() }
            pool.expect(next - open.count)
        }
    }

    /// Returns recipients to the ledger that have no start time soon, each with the time of its turn.
    /// - Returns: the others.
    private func postponed(_ open: [OpenRecipient], _ pool: ReservationPool, _ share: Prefetch.Share) async -> [OpenRecipient] {
        let room = pool.room(hadTurn: lease.batch.dispatchNumber > 1)
        guard open.count > room else { return open }
        let rest = open.dropFirst(room)
        let turns: (first: Double, spacing: Double)
        do throws(RedisError) { turns = try await pool.turns(rest.count) } catch { return open }
        let now = worker.now
        await report(
            rest.enumerated().map { place, item in
                rule.postponed(
                    index: item.index, spent: item.attempts, wait: turns.first + Double(place) * turns.spacing,
                    why: "waits for the limit of \(pool.domain?.description ?? "")", now: now)
            })
        share.finish(rest.count)
        return Array(open.prefix(room))
    }

    /// Permission for a group to start.
    struct Turn {
        var ticket: ReservationTicket
        /// Messages in the group, from 1.
        var count: Int
        /// The group is one message that probes the provider.
        var probe: Int?
    }

    /// Bytes of the texts of a group, about.
    private static let groupBytes = 4 << 20

    /// Messages of a group at most, so that the texts of all groups in flight fit into memory. A text is about as long as its template and
    /// all values of its recipient.
    private var fitting: Int {
        let parts = [mailing.mailing.html, mailing.mailing.text, mailing.mailing.body]
        let template = parts.reduce(256 + (mailing.mailing.files?.messageBytes ?? 0)) { $0 + $1.source.utf8.count }
        return max(1, Self.groupBytes / (template + recipients.bytes.count / max(1, open.count)))
    }

    /// Waits until the provider is available and the limits let a group start.
    /// - Parameter isFresh: nothing was tried with the first of them before.
    /// - Returns: nil when nothing more may start.
    func turn(_ most: Int, _ pool: ReservationPool, isFresh: Bool) async -> Turn? {
        let distance = pool.distance
        mailing.link.adapt(to: distance)
        var most = min(most, mailing.link.groupSizer.size(distance: distance), fitting)
        var probe: Int?
        if mailing.link.breaker.isOpen {
            guard let passage = await mailing.link.breaker.pass(isFresh: isFresh, mayStart: { mayStart }) else { return nil }
            if case .probe(let ticket) = passage { (most, probe) = (1, ticket) }
        }
        if let admission = await pool.admit(most, capacity: mailing.link.capacity, mayStart: { mayStart }) {
            return Turn(ticket: admission.ticket, count: admission.count, probe: probe)
        }
        mailing.link.breaker.release(probe)
        return nil
    }

    /// Reports results, each recipient's once.
    func report(_ results: [RecipientResult]) async {
        await buffer.add(state.withLock { $0.settle(results) })
    }

    /// Expires recipients whose lifetime has ended.
    func expire(_ indexes: [Int]) async {
        guard worker.hasExpired(lease.batch.expires) else { return }
        let now = worker.now
        await buffer.add(state.withLock { $0.expire(indexes, now: now) })
    }
}

/// The state of a batch, shared by its groups.
final class BatchStateBox: Sendable {
    private let state: Mutex<BatchState>

    init(_ open: [OpenRecipient]) { state = Mutex(BatchState(open)) }

    var isEnded: Bool { withLock { $0.isEnded } }

    func withLock<Value>(_ body: (inout BatchState) -> Value) -> Value {
        state.withLock { state in body(&state) }
    }
}
