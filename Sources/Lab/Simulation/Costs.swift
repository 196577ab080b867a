/// What a message costs, in microseconds of CPU of a core; the defaults are those that docs/performance.md and docs/throttling.md
/// measured, so that they can be replaced by what another machine measures.
package struct Costs: Sendable, Equatable {
    /// Planning a row of a recipients' file (`loadtest/bench`, planning a million rows: 2.1).
    package var plan = 2.1
    /// Dispatching a recipient, once for each attempt that goes through the ledger: the planner and dispatcher's 4.0
    /// (`loadtest/bench --only roles`) less planning.
    package var feed = 1.9
    /// A message in a worker, by SMTP and by HTTP (`loadtest/bench --only roles`).
    package var smtp = 23.0
    package var http = 29.7
    /// Under a limit each message starts by itself, and wakes its worker up; messages within a quarter of a millisecond are met
    /// together, which makes 4,000 a second at most. (`loadtest/throttle`, one worker: with 20,000 us a second of waiting, these give
    /// 23,000, 76,000 and 664,000 us a second at 25, 500 and 12,345 messages a second; measured 30,000, 87,000, 637,000.)
    package var wake = 90.0
    package var wakesPerSecond = 4_000.0
    /// A second of a worker, whatever it sends: leases, heartbeats, waiting.
    package var idle = 20_000.0
    /// Writing a result to the ledger, the collector's whole share (`loadtest/bench --only roles`: 2.7 by e-mail, 2.9 by HTTP).
    package var collect = 2.8
    /// Results a second that one collector writes, its commits included (`loadtest/bench`: collecting 60,000 results).
    package var collectorRate = 220_598.0
    /// A message in Redis (`loadtest/bench --only roles`: 2.2 and 2.7), and what a reservation adds to it (`loadtest/throttle`: 4.1 in all
    /// at 12,345/s, of which a second's own cost is 1).
    package var redis = 2.4
    package var reservation = 0.7
    /// A second of Redis, and what each worker adds to it (`loadtest/throttle`, 25/s with one to eight workers).
    package var redisIdle = 9_000.0
    package var redisWorker = 2_500.0
    /// Workers that wait for a busy Redis ask it less often: they use half of its capacity at most.
    private static let mostAtRest = 500_000.0
    /// A recipient in the ledger, in bytes; each further attempt adds the second (docs/ledger.md: 200 MB a million, 5 % of whose
    /// results were failures or deferrals).
    package var ledgerBytes = 200.0
    package var attemptBytes = 90.0

    package init() {}

    /// Microseconds of Redis a second, whatever is sent.
    func redisAtRest(workers: Double) -> Double { min(redisIdle + workers * redisWorker, Self.mostAtRest) }

    /// Microseconds of a worker a message, without waking up.
    func message(isSMTP: Bool) -> Double { isSMTP ? smtp : http }
}
