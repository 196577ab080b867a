import Model

/// Sizes of Redis, the ledger and the planner. A figure without a source is counted in the code that it names.
struct SizeEstimate {
    let plan: FleetPlan
    let workers: Int
    /// In work.
    let mailings: Int

    init(_ plan: FleetPlan, workers: Int, mailings: Int) {
        self.plan = plan
        self.workers = workers
        self.mailings = mailings
    }

    /// An empty Redis with the keys of a fleet (5 MB were measured with 64 batches of 500 in docs/performance.md).
    private static let base = 1.5e6
    /// Of a batch besides its recipients: stream entry, marks' and groups' keys.
    private static let batch = 700.0
    /// A result in a status stream.
    private static let result = 50.0
    /// Seconds until a collector has taken it: the worker's flush and a turn of the collector's.
    private static let lag = 0.15

    /// Batches in Redis, ready or in work: what the dispatcher lets in (`Planning/Dispatcher`).
    private func batches(_ load: CostTotals.Load) -> Double { batches(load.rate, load.batch, hasSpeed: load.hasSpeed) }

    /// Batches in Redis of a mailing that sends so many messages a second.
    func batches(of mailing: MailingPlan, rate: Double) -> Double { batches(rate, mailing.batchSize, hasSpeed: mailing.speed != nil) }

    private func batches(_ rate: Double, _ size: Int, hasSpeed: Bool) -> Double {
        let second = rate / Double(max(1, size))
        if hasSpeed { return min(Double(plan.window), 2 * (2 * second).rounded(.up) + 2 * Double(workers)) }
        // Two seconds of work that are ready, and in each worker what it takes before it leaves the next to others.
        let inHand = (Double(plan.concurrency * plan.group) / Double(max(1, size))).rounded(.up)
        return min(Double(plan.window), max(8, 2 * second) + Double(workers) * inHand)
    }

    private func batchBytes(_ size: Int) -> Double { Double(size) * Double(plan.recipientBytes + 1) + Self.batch }

    /// Bytes in Redis.
    func redisBytes(_ loads: [CostTotals.Load]) -> Double {
        var bytes = Self.base + Double(mailings) * 8_000 + Double(workers) * 500
        for channel in Channel.allCases {
            let own = loads.filter { $0.channel == channel }
            let wanted = own.reduce(0) { $0 + batches($1) }
            let part = wanted > 0 ? min(1, Double(plan.window) / wanted) : 0
            bytes += own.reduce(0) { $0 + part * batches($1) * batchBytes($1.batch) + $1.rate * Self.lag * Self.result }
        }
        return bytes
    }

    /// Bytes in Redis while no collector works: a window of batches, and results of three more of each channel; then nothing more is
    /// dispatched.
    var worstBytes: Double {
        let channels = Set(plan.mailings.map(\.channel)).count
        let size = plan.mailings.map(\.batchSize).max() ?? 0
        return Self.base + Double(mailings) * 8_000 + Double(workers) * 500
            + Double(channels * plan.window) * (batchBytes(size) + 3 * Double(size) * Self.result)
    }

    /// Commands and scripts that Redis answers, a second.
    func commands(_ loads: [CostTotals.Load]) -> Double {
        let workers = Double(workers)
        // A worker: its lease, four reads of each published mailing, the limits and the adaptive rates, and two searches for work.
        // The planner looks at everything four times a second, a collector waits on each of four streams.
        var commands = workers * (1 + 4 * (3 + Double(mailings)) + 3) + 4 * (6 + 2 * Double(mailings)) + 20
        for load in loads {
            let group = min(Double(plan.group), max(1, 0.2 / max(load.isSMTP ? load.service : 0, 1e-6)))
            // A batch is dispatched, taken, closed, collected and confirmed; a group asks whether it may begin; results travel each 50 ms.
            commands += load.rate * (6 / Double(max(1, load.batch)) + 1 / group)
            commands += max(load.rate / 250, min(load.rate / group, 20 * workers)) * 2
            if load.isLimited { commands += 9 * workers }
        }
        return commands
    }

    /// Bytes by which the ledger grows.
    func ledgerBytes(attempts: Int) -> Double {
        let recipients = plan.mailings.reduce(0) { $0 + $1.recipients }
        return Double(recipients) * plan.costs.ledgerBytes + Double(max(0, attempts - recipients)) * plan.costs.attemptBytes
    }

    /// The planner's memory for the set that finds duplicates of its largest mailing (docs/performance.md: 16 bytes an address at a load
    /// of at most 3/4, twice that while it grows: 32 MB a million), and what it has besides (60 MB).
    var plannerBytes: Double { Double(plan.mailings.map(\.recipients).max() ?? 0) * 32 + 60e6 }
}
