import Broker
import Model
import Synchronization

/// The messages that a worker has taken and not finished, and what it takes next; the shell of `PrefetchState`.
final class Prefetch: Sendable {
    private let state: Mutex<PrefetchState>
    /// When the circuit breaker of a lane's provider allows a probe; nil while it is closed.
    private let probes = Mutex<[Lane: @Sendable () -> ContinuousClock.Instant?]>([:])
    /// Notified when more may be wanted.
    private let signal: WakeSignal
    private let clocks: Clocks

    init(first: Int, most: Int, bytes: Int, signal: WakeSignal, clocks: Clocks) {
        state = Mutex(PrefetchState(first: first, most: most, mostBytes: bytes))
        self.signal = signal
        self.clocks = clocks
    }

    /// Messages of one batch, or of one kind of send in it, until they are finished or given back; more than that changes nothing.
    final class Share: Sendable {
        private let prefetch: Prefetch
        private let lane: Lane
        private let kind: PrefetchState.Kind?
        private let messages: Mutex<Int>
        /// Bytes of the whole batch, until it is given back.
        private let bytes: Mutex<Int>

        fileprivate init(_ prefetch: Prefetch, _ lane: Lane, _ kind: PrefetchState.Kind?, _ messages: Int, bytes: Int = 0) {
            self.prefetch = prefetch
            self.lane = lane
            self.kind = kind
            self.messages = Mutex(messages)
            self.bytes = Mutex(bytes)
        }

        /// Splits off messages as a share of their own, now that their kind is known.
        /// - Parameter usable: what limits of that kind alone let start in the time that is fetched ahead.
        func split(_ count: Int, _ kind: PrefetchState.Kind, usable: Double) -> Share {
            let count = take(count)
            prefetch.state.withLock { $0.assign(count, of: lane, to: kind, usable: usable) }
            return Share(prefetch, lane, kind, count)
        }

        /// Notes finished messages.
        func finish(_ count: Int) {
            let count = take(count)
            if count > 0 { prefetch.change { $0.finish(count, of: lane, kind: kind, at: $1) } }
        }

        /// What its provider can use now.
        func adjust(_ target: PreparedMailing.PrefetchTarget) {
            prefetch.state.withLock { $0.adjust(lane, target: target.messages, isLimited: target.isLimited) }
        }

        func giveBack() {
            finish(.max)
            let bytes = bytes.withLock { bytes in
                defer { bytes = 0 }
                return bytes
            }
            if bytes > 0 { prefetch.change { $0.free(bytes: bytes, of: lane, at: $1) } }
        }

        private func take(_ count: Int) -> Int {
            messages.withLock { messages in
                let taken = min(count, messages)
                messages -= taken
                return taken
            }
        }
    }

    var total: Int { state.withLock { $0.total } }

    /// Lanes that are known.
    var laneCount: Int { state.withLock { $0.laneCount } }

    func offer(_ lane: Lane) { change { $0.offer(lane, at: $1) } }

    /// What to ask Redis for now; it counts as asked for until `taken` or `failed`.
    func wants() -> [BatchQueue.Want] {
        let blocked = probes.withLock { $0 }.compactMapValues { $0() }
        return state.withLock { state in
            state.block(blocked)
            return state.wants(at: clocks.now)
        }
    }

    /// Asks the lane's circuit breaker each time before `wanted` is computed.
    func watch(_ lane: Lane, probeAt: @escaping @Sendable () -> ContinuousClock.Instant?) {
        probes.withLock { $0[lane] = probeAt }
    }

    var nextLook: ContinuousClock.Instant? { state.withLock { $0.nextLook() } }

    func failed(_ wants: [BatchQueue.Want]) { state.withLock { $0.failed(wants) } }

    /// Batches came.
    /// - Returns: the share of each.
    func taken(_ lane: Lane, _ leases: [BatchLease], waiting: Int?) -> [Share] {
        let sizes = leases.map { (messages: $0.messages, bytes: $0.batch.recipients.count) }
        state.withLock { $0.taken(lane, sizes: sizes.map(\.messages), bytes: sizes.map(\.bytes), waiting: waiting, at: clocks.now) }
        return sizes.map { Share(self, lane, nil, $0.messages, bytes: $0.bytes) }
    }

    func forget() { state.withLock { $0.forget(at: clocks.now) } }

    /// - Parameter body: tells whether something is wanted now.
    private func change(_ body: (inout PrefetchState, ContinuousClock.Instant) -> Bool) {
        if state.withLock({ body(&$0, clocks.now) }) { signal.notify() }
    }
}
