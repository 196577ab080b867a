import Model

@testable import Broker
@testable import Delivery

/// A Redis of values, which does to one batch of three recipients, and to the registrations of workers, what the Lua scripts do. Its time
/// is counted in ticks.
struct ModelRedis: Hashable {
    struct Registration: Hashable {
        /// The first tick at which its lease has expired.
        var expiry: Int
        var run: Int
        var condition: WorkerRegistry.Condition
        var losses: Int
        var text: String { "\(expiry) \(run) \(condition) \(losses)" }
    }

    /// The batch in its lane.
    struct Entry: Hashable {
        var epoch: Epoch
        var dispatchNumber: Int
        /// Whom the dispatch is for.
        var open: Set<Int> = [0, 1, 2]
        var owner: Int?
        var deliveries = 0
        var marks: [Marks.Mark] = [.notStarted, .notStarted, .notStarted]
    }

    /// What a worker tells the collector.
    struct Report: Hashable {
        var dispatchNumber: Int
        var sent: Set<Int> = []
        /// On the list of the uncertain, and sent again.
        var listed: Set<Int> = []
        var isClosing = false
    }

    /// An entry of the status stream.
    struct Status: Hashable {
        var id: Int
        /// When it was added.
        var tick: Int
        var report: Report
    }

    var run = 1
    var epoch: Epoch?
    var workers: [Int: Registration] = [:]
    var admitted: Set<Int> = []
    /// Workers whose registration names the lane.
    var holders: Set<Int> = []
    var entry: Entry?
    var dispatched: Int?
    var status: [Status] = []
    var nextID = 0
    /// Dispatches that workers have had alone, told after a loss.
    var claims: [Int: Set<Int>] = [:]
    /// What its clock shows.
    var tick = 0

    static let ledger = "l"
    var isCurrent: Bool { epoch?.isOf(run: "\(run)", ledger: Self.ledger) ?? false }

    /// Whether an entry of the lane is the one that a worker was given: the entry's name, the worker and the deliveries are its token.
    func owns(_ worker: Int, _ claim: Claim) -> Bool {
        guard let entry, has(claim) else { return false }
        return entry.owner == worker && entry.deliveries == claim.deliveries
    }

    /// Whether it is there still, with whomever.
    private func has(_ claim: Claim) -> Bool {
        guard isCurrent, epoch == claim.epoch, let entry, entry.epoch == claim.epoch else { return false }
        return entry.dispatchNumber == claim.dispatchNumber
    }

    /// A batch that a worker was given.
    struct Claim: Hashable {
        var epoch: Epoch
        var dispatchNumber: Int
        var open: Set<Int>
        var deliveries: Int
        var isNew: Bool

        init(_ entry: Entry, isNew: Bool = false) {
            (epoch, dispatchNumber, open, deliveries) = (entry.epoch, entry.dispatchNumber, entry.open, entry.deliveries)
            self.isNew = isNew
        }
    }

    /// `renew.lua`
    mutating func renew(
        _ worker: Int, lease: Int, _ condition: WorkerRegistry.Condition, losses: Int, isKnown: Bool, at tick: Int
    ) -> WorkerRegistry.Renewal {
        let known = workers[worker]
        if known.map({ $0.expiry <= tick }) ?? true { admitted.remove(worker) }
        var isKept = !isKnown
        if let known, !isKept { isKept = known.run == run && !(known.condition == .lost && known.losses == losses) }
        workers[worker] = Registration(expiry: tick + lease, run: run, condition: isKept ? condition : .lost, losses: losses)
        return WorkerRegistry.Renewal(isKept: isKept, epoch: isCurrent ? epoch : nil, isAdmitted: admitted.contains(worker))
    }

    /// `take.lua`
    mutating func take(_ worker: Int) -> Claim? {
        guard isCurrent, var taken = entry, taken.owner == nil else { return nil }
        taken.owner = worker
        taken.deliveries = 1
        entry = taken
        holders.insert(worker)
        return Claim(taken, isNew: true)
    }

    /// `reclaim.lua`
    func reclaim(_ worker: Int) -> Claim? {
        guard isCurrent, let entry, entry.owner == worker, holders.contains(worker) else { return nil }
        return Claim(entry)
    }

    /// `takeover.lua`
    mutating func takeOver(_ dead: Int, seen: String, by worker: Int, at tick: Int) -> Claim? {
        guard isCurrent, holders.contains(dead), (workers[dead]?.text ?? "") == seen, (workers[dead]?.expiry ?? 0) <= tick else {
            return nil
        }
        holders.remove(dead)
        guard var taken = entry, taken.owner == dead else { return nil }
        taken.owner = worker
        taken.deliveries += 1
        entry = taken
        holders.insert(worker)
        return Claim(taken)
    }

    /// `start.lua`
    /// - Returns: false for `lost`.
    mutating func start(_ worker: Int, _ claim: Claim, _ indexes: [Int]) -> Bool {
        guard owns(worker, claim), dispatched == claim.dispatchNumber else { return false }
        for index in indexes { entry?.marks[index] = .started }
        return true
    }

    /// `unmark.lua`
    mutating func unmark(_ worker: Int, _ claim: Claim, _ indexes: [Int]) {
        guard owns(worker, claim) else { return }
        for index in indexes { entry?.marks[index] = .notStarted }
    }

    /// `report.lua`
    /// - Returns: the entry of the status stream; nil when there was nothing to tell.
    mutating func report(_ worker: Int, _ claim: Claim, _ report: Report) -> Int? {
        let owner = owns(worker, claim)
        let counts = has(claim) && entry?.owner != nil
        if !owner, report.sent.isEmpty, report.listed.isEmpty { return nil }
        var report = report
        report.isClosing = report.isClosing && owner
        let id = add(report)
        if report.isClosing {
            entry = nil
        } else if counts {
            for index in report.sent { entry?.marks[index] = .done }
        }
        return id
    }

    mutating func add(_ report: Report) -> Int {
        nextID += 1
        status.append(Status(id: nextID, tick: tick, report: report))
        return nextID
    }

    /// `establish.lua`, and what is removed before it.
    mutating func establish(_ new: Epoch) {
        (admitted, holders, entry, dispatched, claims) = ([], [], nil, nil, [:])
        epoch = new
    }

    /// Everything is lost.
    mutating func empty() {
        let before = self
        self = ModelRedis()
        (run, nextID, tick) = (before.run, before.nextID, before.tick)
    }

    /// It is started again with all that it had.
    mutating func restart() { run += 1 }

    /// Numbers the status entries anew, so that states that differ in nothing else are the same.
    mutating func forgetNumbers() {
        for place in status.indices { status[place].id = place + 1 }
        nextID = status.count
    }
}
