import Model

@testable import Broker
@testable import Delivery

/// A worker of `FleetModel`: its machines, and what a shell remembers between two steps.
struct ModelWorker: Hashable {
    enum Step: CaseIterable {
        case renew, take, reclaim, search, enter, ask, start, send, unmark, report, close, tellEnd
    }

    var isAlive = true
    var lease = LeaseState(length: FleetModel.lease)
    var search = TakeoverSearch(renewal: .microseconds(409_090))
    /// The batch in its hands.
    var claim: ModelRedis.Claim?
    /// Nothing more of it may start here.
    var isEnded = false
    /// What is known of it; nil until its marks are read.
    var batch: BatchState?
    /// Those for whom Redis is asked whether they may start.
    var asking: [Int] = []
    /// Those who may be sent to.
    var permitted: [Int] = []
    var unreported = ModelRedis.Report(dispatchNumber: 0)
    var isClosing = false
    /// What no collector has confirmed, and how much of it was offered since the last loss.
    var receipts: [ModelRedis.Report] = []
    /// Those of them whose batch no other worker has had.
    var own: Set<Int> = []
    /// What a loss took of such batches; and what was in its hands when its lease expired, by dispatch number.
    var claims: Set<Int> = []
    var disowned: Set<Int> = []
    var offered = 0
    var mustReclaim = false
    var hasHad = false

    /// It has had no batch yet.
    fileprivate var isUnused: Bool { claim == nil && !mustReclaim && receipts.isEmpty && !hasHad }

    fileprivate mutating func begin(_ claim: ModelRedis.Claim) {
        self.claim = claim
        hasHad = true
        isEnded = false
        unreported = ModelRedis.Report(dispatchNumber: claim.dispatchNumber)
        if claim.isNew { batch = BatchState(claim.open.sorted().map { OpenRecipient(index: $0, attempts: 0) }) }
    }

    fileprivate mutating func leave() {
        claim = nil
        batch = nil
        isEnded = false
        isClosing = false
        unreported = ModelRedis.Report(dispatchNumber: 0)
    }

    /// The dispatch in its hands, if no other worker has had it.
    fileprivate var ownClaim: Int? {
        claim.flatMap { $0.isNew && !disowned.contains($0.dispatchNumber) ? $0.dispatchNumber : nil }
    }

    fileprivate mutating func disown() {
        own = []
        disowned.formUnion(claim.map { [$0.dispatchNumber] } ?? [])
    }

    fileprivate mutating func end() {
        isEnded = true
        batch?.end()
    }

    fileprivate func mayStart(at now: ContinuousClock.Instant) -> Bool { !isEnded && lease.isHeld(at: now) && !(batch?.isEnded ?? true) }
}

extension FleetModel {
    /// Whether a worker may take a step now.
    func may(_ step: ModelWorker.Step, _ number: Int) -> Bool {
        let worker = workers[number]
        let mayStart = worker.mayStart(at: now)
        return switch step {
        case .renew: true
        case .take:
            worker.claim == nil && !worker.mustReclaim && worker.lease.mayTake(at: now) && redis.entry != nil && !isTurnOfFirst(number)
        case .reclaim: worker.claim == nil && worker.mustReclaim && worker.lease.mayTake(at: now)
        case .search: worker.claim == nil && worker.lease.mayTake(at: now) && worker.lease.mayTakeOver(at: now)
        case .enter: worker.claim != nil && worker.batch == nil
        case .ask: worker.asking.isEmpty && worker.permitted.isEmpty && !worker.isClosing && mayStart && !waiting(worker).isEmpty
        case .start: !worker.asking.isEmpty
        case .send: !worker.permitted.isEmpty && mayStart
        case .unmark: !worker.permitted.isEmpty && !mayStart
        case .report: !worker.isClosing && !(worker.unreported.sent.isEmpty && worker.unreported.listed.isEmpty)
        case .close:
            worker.batch != nil && !worker.isClosing && worker.asking.isEmpty && worker.permitted.isEmpty
                && (!mayStart || waiting(worker).isEmpty)
        case .tellEnd: worker.isClosing
        }
    }

    /// The two workers are alike: the first batch goes to the first of them, as long as it lives.
    private func isTurnOfFirst(_ number: Int) -> Bool {
        number > 0 && ledger.dispatchNumber == 1 && workers[0].isAlive && workers[0].isUnused
    }

    private func waiting(_ worker: ModelWorker) -> [Int] { worker.batch?.waiting(among: 0..<3).map(\.index) ?? [] }

    mutating func take(_ step: ModelWorker.Step, _ number: Int) {
        switch step {
        case .renew: renew(number)
        case .take: if let claim = redis.take(number) { workers[number].begin(claim) }
        case .reclaim:
            workers[number].mustReclaim = false
            if let claim = redis.reclaim(number) { workers[number].begin(claim) }
        case .search: search(number) { $0.begin($1) }
        case .enter: enter(number)
        case .ask: ask(number)
        case .start: start(number)
        case .send: send(number)
        case .unmark: unmark(number)
        case .report: report(number, isHeard: true)
        case .close: close(number)
        case .tellEnd: tellEnd(number, isHeard: true)
        }
    }

    /// A step goes wrong: its command is carried out and the reply is lost, or it comes late.
    mutating func fail(_ step: ModelWorker.Step, _ number: Int) {
        faults.troubles -= 1
        switch step {
        case .renew: _ = askForRenewal(number)
        case .take:
            _ = redis.take(number)
            workers[number].mustReclaim = true
        case .search: search(number) { worker, _ in worker.mustReclaim = true }
        case .start:
            guard let claim = workers[number].claim else { return }
            _ = redis.start(number, claim, workers[number].asking)
        case .send:
            // No connection is to be had for one of them.
            let index = workers[number].permitted.removeFirst()
            if let claim = workers[number].claim { redis.unmark(number, claim, [index]) }
            workers[number].batch?.unmark(unsent: [index], retries: [])
        case .unmark:
            guard late == nil, let claim = workers[number].claim else { return }
            let group = workers[number].permitted
            late = Late(worker: number, claim: claim, indexes: group)
            workers[number].batch?.failToUnmark(unsent: group, retries: [])
            workers[number].permitted = []
        case .report: report(number, isHeard: false)
        case .tellEnd: tellEnd(number, isHeard: false)
        case .reclaim, .enter, .ask, .close: faults.troubles += 1
        }
    }

    // MARK: - The lease

    /// - Returns: the reply.
    private mutating func askForRenewal(_ number: Int) -> WorkerRegistry.Renewal {
        if workers[number].lease.willRenew(at: now) != nil {
            workers[number].disown()
            workers[number].end()
        }
        let worker = workers[number]
        let epochs = worker.claim.map { [$0.epoch] } ?? []
        if worker.lease.condition(epochs) == .clean, !worker.claims.isEmpty { redis.claims[number] = worker.claims }
        return redis.renew(
            number, lease: Self.leaseTicks, worker.lease.condition(epochs), losses: worker.lease.losses, isKnown: worker.lease.isKnown,
            at: tick)
    }

    mutating func renew(_ number: Int) {
        let reply = askForRenewal(number)
        var worker = workers[number]
        let hasUnread = worker.claim != nil && worker.batch == nil
        if worker.lease.isKnown, !worker.lease.isHeld(at: now) { worker.disown() }
        let actions = worker.lease.didRenew(reply, asked: now, at: now, hasUnread: hasUnread)
        if actions.contains(.endBatches) { worker.end() }
        if actions.contains(.offerResults) {
            worker.offered = 0
            worker.claims.formUnion(worker.own.union(worker.ownClaim.map { [$0] } ?? []))
        } else if !worker.lease.isOffering {
            worker.receipts.removeAll { receipt in !redis.status.contains { $0.report == receipt } }
            worker.own.formIntersection(worker.receipts.map(\.dispatchNumber))
        }
        if reply.epoch != nil, !actions.contains(.offerResults) {
            worker.claims = []
            worker.disowned.formIntersection(worker.claim.map { [$0.dispatchNumber] } ?? [])
        }
        if worker.lease.isOffering {
            for place in worker.receipts.indices.dropFirst(worker.offered) {
                worker.receipts[place].isClosing = false
                _ = redis.add(worker.receipts[place])
            }
            worker.offered = worker.receipts.count
            if worker.claim.map({ $0.epoch == worker.lease.epoch }) ?? true { worker.lease.didOffer() }
        }
        workers[number] = worker
    }

    private mutating func search(_ number: Int, _ then: (inout ModelWorker, ModelRedis.Claim) -> Void) {
        let all = redis.workers.map { worker, one in
            WorkerRegistry.Registration(worker: "\(worker)", isAlive: one.expiry > tick, condition: one.condition, text: one.text)
        }
        for dead in workers[number].search.look(all, except: "\(number)", at: now) {
            guard let worker = Int(dead.worker), let claim = redis.takeOver(worker, seen: dead.text, by: number, at: tick) else { continue }
            return then(&workers[number], claim)
        }
    }

    // MARK: - The batch

    private mutating func enter(_ number: Int) {
        guard let claim = workers[number].claim else { return }
        guard redis.owns(number, claim), let marks = redis.entry?.marks else {
            workers[number].leave()
            workers[number].mustReclaim = true
            return
        }
        let letters = marks.map { mark -> UInt8 in
            switch mark {
            case .notStarted: 0
            case .started: UInt8(ascii: "b")
            case .done: UInt8(ascii: "d")
            }
        }
        let plan = TakeoverPlan(
            open: claim.open.sorted().map { OpenRecipient(index: $0, attempts: 0) }, marks: Marks(bytes: letters),
            deliveries: claim.deliveries, maximum: 5, policy: .redeliver)
        workers[number].unreported.listed = Set(plan.uncertain.map(\.index))
        if !plan.uncertain.isEmpty { report(number, isHeard: true) }
        workers[number].batch = BatchState(plan.open)
        if workers[number].isEnded { workers[number].end() }
    }

    private mutating func ask(_ number: Int) {
        let group = waiting(workers[number])
        if workers[number].batch?.start(group) == true { workers[number].asking = group }
    }

    private mutating func start(_ number: Int) {
        guard let claim = workers[number].claim else { return }
        let group = workers[number].asking
        workers[number].asking = []
        // Who may not begin any more gives up asking.
        if workers[number].mayStart(at: now), redis.start(number, claim, group) {
            workers[number].permitted = group
        } else {
            workers[number].batch?.refuse(group)
            workers[number].end()
        }
    }

    private mutating func send(_ number: Int) {
        // The first alone, the others together: enough to be interrupted under way.
        let group = workers[number].permitted.contains(0) ? [0] : workers[number].permitted
        workers[number].permitted.removeAll(where: group.contains)
        for index in group { messages[index] += 1 }
        let sent = group.map { RecipientResult(index: $0, state: .sent, attempts: 1, at: 0) }
        let results = workers[number].batch?.settle(sent) ?? []
        workers[number].unreported.sent.formUnion(results.map(\.index))
    }

    private mutating func unmark(_ number: Int) {
        let group = workers[number].permitted
        workers[number].permitted = []
        if let claim = workers[number].claim { redis.unmark(number, claim, group) }
        workers[number].batch?.unmark(unsent: group, retries: [])
    }

    private mutating func report(_ number: Int, isHeard: Bool) {
        guard let claim = workers[number].claim else { return }
        let report = workers[number].unreported
        _ = redis.report(number, claim, report)
        guard isHeard else { return }
        workers[number].receipts.append(report)
        workers[number].own.formUnion(workers[number].ownClaim.map { [$0] } ?? [])
        workers[number].unreported = ModelRedis.Report(dispatchNumber: claim.dispatchNumber)
    }

    private mutating func close(_ number: Int) {
        if workers[number].batch?.close() != nil { workers[number].isClosing = true }
    }

    private mutating func tellEnd(_ number: Int, isHeard: Bool) {
        guard let claim = workers[number].claim else { return }
        var report = workers[number].unreported
        report.isClosing = true
        let isReported = redis.report(number, claim, report) != nil
        guard isHeard else { return }
        // As it stands in the stream: a worker that has not the batch closes nothing.
        if isReported, let told = redis.status.last {
            workers[number].receipts.append(told.report)
            workers[number].own.formUnion(workers[number].ownClaim.map { [$0] } ?? [])
        }
        workers[number].leave()
    }
}
