import Broker
import Logging
import Model
import Policy
import Synchronization

/// Delivers one batch, from its lease to its closing report. What may happen to its recipients is said by `BatchState`; this is what
/// carries it out: kinds of send side by side, groups one after another as limits and connections let them go.
struct BatchDelivery: Sendable {
    let batch: InFlightBatch
    let mailing: PreparedMailing
    let recipients: Recipients
    /// Those to send to.
    let open: [OpenRecipient]
    let worker: WorkerContext
    /// What the batch counts towards what the worker has taken.
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

    /// Nothing stands against the next message, and its lifetime is not over.
    var mayBegin: Bool { worker.mayBegin(mailing, batch) && !worker.isOver(lease.batch.expires) && !state.isEnded }

    /// Works until each recipient has a result or the rest is given back.
    func run() async {
        worker.logger.debug("taken, \(open.count) recipients to send to", metadata: fields)
        await withDiscardingTaskGroup { group in
            for (pool, open) in mailing.kinds(of: open, recipients) {
                let part = share.split(
                    open.count, PrefetchState.Kind(mailing: mailing.id, domain: pool.domain), usable: mailing.usable(pool.domain))
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

    /// Sends to recipients that the same limits hold for.
    private func send(_ open: [OpenRecipient], _ pool: ReservationPool, _ share: Prefetch.Share) async {
        let isLimited = pool.isActive
        let open = isLimited ? await putOff(open, pool, share) : open
        if open.isEmpty { return }
        pool.expect(open.count)
        if isLimited { await pool.entrance.acquire() }
        await withDiscardingTaskGroup { group in
            var next = 0
            while next < open.count, mayBegin {
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

    /// Sends those back to the ledger for whom there is no room here, each with the time of its turn.
    /// - Returns: the others.
    private func putOff(_ open: [OpenRecipient], _ pool: ReservationPool, _ share: Prefetch.Share) async -> [OpenRecipient] {
        let room = pool.room(hadTurn: lease.batch.dispatchNumber > 1)
        guard open.count > room else { return open }
        let rest = open.dropFirst(room)
        let turns: (first: Double, spacing: Double)
        do throws(RedisError) { turns = try await pool.turns(rest.count) } catch { return open }
        let now = worker.now
        await report(
            rest.enumerated().map { place, item in
                rule.putOff(
                    index: item.index, spent: item.attempts, wait: turns.first + Double(place) * turns.spacing,
                    why: "waits for the limit of \(pool.domain?.description ?? "")", now: now)
            })
        share.finish(rest.count)
        return Array(open.prefix(room))
    }

    /// What lets a group go.
    struct Turn {
        var ticket: ReservationTicket
        /// Messages in the group, from 1.
        var count: Int
        /// It is one message that tries whether the provider is back.
        var probe: Int?
    }

    /// Bytes of the texts of a group, about.
    private static let groupBytes = 4 << 20

    /// Messages of a group at most, so that the texts of all groups on their way fit into memory: a text is about as long as its template
    /// and all values of its recipient.
    private var fitting: Int {
        let parts = [mailing.mailing.html, mailing.mailing.text, mailing.mailing.body]
        let template = parts.reduce(256) { $0 + $1.source.utf8.count }
        return max(1, Self.groupBytes / (template + recipients.bytes.count / max(1, open.count)))
    }

    /// Waits until the provider is there and the limits let a group go.
    /// - Parameter isFresh: nothing was tried with the first of them before.
    /// - Returns: nil when nothing more may start.
    func turn(_ most: Int, _ pool: ReservationPool, isFresh: Bool) async -> Turn? {
        var most = min(most, mailing.link.groupSizer.size(distance: pool.distance), fitting)
        var probe: Int?
        if mailing.link.breaker.isOpen {
            guard let passage = await mailing.link.breaker.pass(isFresh: isFresh, mayBegin: { mayBegin }) else { return nil }
            if case .probe(let ticket) = passage { (most, probe) = (1, ticket) }
        }
        if let admission = await pool.admit(most, capacity: mailing.link.capacity, mayBegin: { mayBegin }) {
            return Turn(ticket: admission.ticket, count: admission.count, probe: probe)
        }
        mailing.link.breaker.release(probe)
        return nil
    }

    /// Reports results, each recipient's once.
    func report(_ results: [RecipientResult]) async {
        await buffer.add(state.withLock { $0.settle(results) })
    }

    /// Ends those whose lifetime has ended.
    func expire(_ indexes: [Int]) async {
        guard worker.isOver(lease.batch.expires) else { return }
        let now = worker.now
        await buffer.add(state.withLock { $0.expire(indexes, now: now) })
    }
}

/// The state of a batch, shared by the groups that are on their way.
final class BatchStateBox: Sendable {
    private let state: Mutex<BatchState>

    init(_ open: [OpenRecipient]) { state = Mutex(BatchState(open)) }

    var isEnded: Bool { withLock { $0.isEnded } }

    func withLock<Value>(_ body: (inout BatchState) -> Value) -> Value {
        state.withLock { state in body(&state) }
    }
}
