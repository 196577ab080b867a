import Model

@testable import Broker
@testable import Delivery
@testable import Planning

/// Two workers, the dispatcher, a collector and a ledger around one batch of three recipients: the machines themselves, with shells that do
/// what the real ones do, one step at a time. A recipient's message is sent again when its worker died.
struct FleetModel: Hashable {
    /// What may still go wrong.
    struct Faults: Hashable {
        var losses = 0
        var deaths = 0
        /// Replies that are lost, commands that come late, connections that are not to be had.
        var troubles = 0
    }

    struct Ledger: Hashable {
        var dispatchNumber = 0
        /// Whom the open dispatch is for; nil where there is none.
        var open: Set<Int>?
        var sent: Set<Int> = []
        var listed: Set<Int> = []
    }

    /// A command of a worker that arrives when its connection is gone.
    struct Late: Hashable {
        var worker: Int
        var claim: ModelRedis.Claim
        var indexes: [Int]
    }

    static let origin = ContinuousClock.now
    /// After two of them without a renewal a worker's lease has expired for the worker, and not yet for Redis.
    private static let tickLength = Duration.milliseconds(4_750)
    /// Ticks after which it has expired for Redis too.
    static let leaseTicks = 3
    static let lease = Duration.seconds(10)

    var tick = 0
    /// Times that somebody was away for so long that a lease ended.
    var stalls = 0
    var faults: Faults
    var redis = ModelRedis()
    var workers: [ModelWorker] = [ModelWorker(), ModelWorker()]
    var epochs = EpochState(lease: lease, isAlone: false)
    var ledger = Ledger()
    /// Messages that each recipient got.
    var messages = [0, 0, 0]
    var late: Late?
    private var begun = 0

    var now: ContinuousClock.Instant { Self.origin + Self.tickLength * tick }
    private var milliseconds: UInt64 { UInt64(1 + tick) * 4_750 }

    /// Two workers are admitted, and the batch is dispatched.
    init(_ faults: Faults) {
        self.faults = faults
        establish()
        for worker in workers.indices { renew(worker) }
        dispatcher()
        for worker in workers.indices { renew(worker) }
        dispatcher()
    }

    // MARK: - Dispatcher and collector

    private mutating func establish() {
        begun += 1
        redis.establish(Epoch(text: "\(redis.run):\(ModelRedis.ledger):\(begun)"))
        epochs.begin()
        see()
    }

    private var registrations: [WorkerRegistry.Registration] {
        redis.workers.sorted { $0.key < $1.key }.map { worker, one in
            WorkerRegistry.Registration(
                worker: "\(worker)", isAlive: one.expiry > tick, condition: one.run == redis.run ? one.condition : nil, text: one.text)
        }
    }

    private mutating func see() {
        redis.admitted.formUnion(epochs.see(registrations, now: milliseconds).compactMap { Int($0) })
        guard !epochs.departed.isEmpty || epochs.unknown != nil else { return }
        let gone = Set(epochs.gone)
        let holders = Set(redis.holders.map { "\($0)" }.filter(gone.contains))
        epochs.settle(holders: holders, oldest: [redis.status.first.map { UInt64(1 + $0.tick) * 4_750 }], now: milliseconds)
    }

    mutating func dispatcher() {
        guard redis.isCurrent else {
            let loss = epochs.lose(registrations, uncollected: redis.status.count, at: now)
            if let open = ledger.open {
                guard loss.wait == nil else { return }
                let claimed = redis.workers.filter { $0.value.run == redis.run && $0.value.condition == .clean }
                    .reduce(into: Set<Int>()) { $0.formUnion(redis.claims[$1.key] ?? []) }
                if loss.missing != [], !claimed.contains(ledger.dispatchNumber) {
                    ledger.listed.formUnion(open.subtracting(ledger.sent))
                }
                ledger.open = nil
            }
            return establish()
        }
        see()
        let due = Set(0..<3).subtracting(ledger.sent)
        guard ledger.open == nil, !due.isEmpty, let epoch = redis.epoch else { return }
        ledger.dispatchNumber += 1
        ledger.open = due
        redis.entry = ModelRedis.Entry(epoch: epoch, dispatchNumber: ledger.dispatchNumber, open: due)
        redis.dispatched = ledger.dispatchNumber
    }

    mutating func collect() {
        for report in redis.status.map(\.report) {
            ledger.sent.formUnion(report.sent)
            ledger.listed.formUnion(report.listed)
            guard report.isClosing else { continue }
            if report.dispatchNumber == ledger.dispatchNumber { ledger.open = nil }
            if redis.dispatched == report.dispatchNumber { redis.dispatched = nil }
        }
        redis.status = []
    }

    // MARK: - What may happen

    private mutating func pass() {
        tick += 1
        redis.tick = tick
    }

    /// Some workers do nothing for a time, and the others only what keeps their leases, and look whose has expired.
    private mutating func stall(_ stalled: Set<Int>, ticks: Int) {
        stalls += 1
        for left in (0..<ticks).reversed() {
            pass()
            for worker in workers.indices where workers[worker].isAlive && !stalled.contains(worker) {
                renew(worker)
                if left > 0, may(.search, worker) { take(.search, worker) }
            }
        }
    }

    /// Each state that may come next.
    /// - Parameter most: stalls at most.
    func next(stalls most: Int) -> [FleetModel] {
        var states: [FleetModel] = []
        func add(_ change: (inout FleetModel) -> Void) {
            var state = self
            change(&state)
            state.forget()
            if state != self { states.append(state) }
        }
        for worker in workers.indices where workers[worker].isAlive {
            for step in ModelWorker.Step.allCases where may(step, worker) { add { $0.take(step, worker) } }
            if faults.troubles > 0 {
                for step in ModelWorker.Step.allCases where may(step, worker) { add { $0.fail(step, worker) } }
            }
            if faults.deaths > 0 { add { $0.kill(worker) } }
        }
        if !redis.status.isEmpty { add { $0.collect() } }
        add { $0.dispatcher() }
        if faults.losses > 0 {
            add {
                $0.faults.losses -= 1
                $0.redis.empty()
            }
            add {
                $0.faults.losses -= 1
                $0.redis.restart()
            }
        }
        if let late {
            add {
                $0.late = nil
                $0.redis.unmark(late.worker, late.claim, late.indexes)
            }
        }
        if stalls < most {
            // Long enough to be taken over; for the workers alone; for Redis too.
            add { $0.stall([0], ticks: Self.leaseTicks + 1) }
            add { $0.stall([1], ticks: Self.leaseTicks + 1) }
            add { $0.stall([0, 1], ticks: Self.leaseTicks - 1) }
            add { $0.stall([0, 1], ticks: Self.leaseTicks) }
        }
        return states
    }

    /// Forgets what makes no difference any more, so that fewer states differ.
    private mutating func forget() {
        redis.forgetNumbers()
        if ledger.dispatchNumber > 1 { for worker in workers.indices { workers[worker].hasHad = false } }
        // After the last loss nobody asks who has gone, or for results that are in Redis.
        guard faults.losses == 0, redis.isCurrent else { return }
        epochs.begin()
        for worker in workers.indices where !workers[worker].lease.isOffering && workers[worker].lease.epoch == redis.epoch {
            workers[worker].receipts = []
            workers[worker].offered = 0
            workers[worker].own = []
            workers[worker].claims = []
            workers[worker].disowned = []
        }
    }

    private mutating func kill(_ worker: Int) {
        faults.deaths -= 1
        workers[worker] = ModelWorker()
        workers[worker].isAlive = false
    }

    // MARK: - What must hold

    /// Who is on the list of the uncertain, or will be: in the ledger, on the way to it, or with a worker that offers it again.
    private var listed: Set<Int> {
        let alive = workers.filter(\.isAlive)
        return ledger.listed.union(redis.status.flatMap(\.report.listed)).union(
            alive.flatMap { $0.receipts.flatMap(\.listed) + $0.unreported.listed })
    }

    /// What is wrong with this state; nil for nothing.
    var problem: String? {
        // After a loss it is not known yet who is on the list.
        guard redis.isCurrent else { return nil }
        for index in 0..<3 where messages[index] > 1 && !listed.contains(index) {
            return "recipient \(index) got \(messages[index]) messages and is not on the list"
        }
        return nil
    }

    /// What is wrong when nothing more happens; nil for nothing.
    var finalProblem: String? {
        if ledger.sent != [0, 1, 2] || ledger.open != nil { return "not all are sent to: \(ledger.sent)" }
        for index in 0..<3 {
            if messages[index] == 0 { return "recipient \(index) is sent to, says the ledger, and got nothing" }
            if messages[index] > 1, !ledger.listed.contains(index) { return "recipient \(index) got two and is not on the list" }
        }
        return nil
    }

    /// All is done, and nothing can undo it.
    var isDone: Bool {
        finalProblem == nil && redis.isCurrent && redis.status.isEmpty && redis.entry == nil
            && workers.allSatisfy { $0.claim == nil && $0.receipts.isEmpty }
    }

    /// Nothing more goes wrong, and everybody does what there is to do, for a tick; a new worker comes where all have died.
    mutating func goOn() {
        faults = Faults()
        if !workers.contains(where: \.isAlive) { workers.append(ModelWorker()) }
        if let late {
            redis.unmark(late.worker, late.claim, late.indexes)
            self.late = nil
        }
        for _ in 0..<2 {
            for worker in workers.indices where workers[worker].isAlive {
                for _ in 0..<2 { for step in ModelWorker.Step.allCases where may(step, worker) { take(step, worker) } }
            }
            collect()
            dispatcher()
        }
        pass()
        forget()
    }
}
