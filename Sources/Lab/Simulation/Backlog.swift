/// Recipients of a kind of send without a final state: not tried yet, due, or waiting for a retry.
struct Backlog: Sendable {
    /// Never tried.
    private(set) var fresh: Int
    /// Due, by attempts spent.
    private var ready: [Int] = []
    private(set) var readyCount = 0
    private var waiting = EventQueue<RetryGroup>()
    private(set) var waitingCount = 0
    /// Groups of recipients that wait, by due time and attempts; groups with the same values are merged.
    private var gathered: [Key: Int] = [:]

    private struct Key: Hashable {
        var due: Double
        var spent: Int
    }

    init(fresh: Int) { self.fresh = fresh }

    /// Who may start now.
    var available: Int { fresh + readyCount }
    var open: Int { available + waitingCount }
    /// When the next who wait are due.
    var nextDue: Double? { waiting.first }

    /// Somebody is to be tried again.
    /// - Parameter grain: moments are rounded up to multiples of it, in seconds; 0 for not at all.
    mutating func wait(until due: Double, spent: Int, count: Int, grain: Double) {
        waitingCount += count
        let moment = grain > 0 ? (due / grain).rounded(.up) * grain : due
        let key = Key(due: moment, spent: spent)
        if let known = gathered[key] {
            gathered[key] = known + count
        } else {
            gathered[key] = count
            waiting.add(RetryGroup(due: moment, spent: spent, count: 0), at: moment)
        }
    }

    /// Makes those due whose time has come.
    mutating func release(until time: Double) {
        while let (_, cohort) = waiting.pop(until: time) {
            let count = gathered.removeValue(forKey: Key(due: cohort.due, spent: cohort.spent)) ?? 0
            waitingCount -= count
            putBack(count, spent: cohort.spent)
        }
    }

    /// Some did not start after all.
    mutating func putBack(_ count: Int, spent: Int) {
        while ready.count <= spent { ready.append(0) }
        ready[spent] += count
        readyCount += count
    }

    /// Takes some who may start, by attempts spent: up to a half of retries, then of those who were never tried, then more retries
    /// (as the ledger gives out batches).
    mutating func take(_ wanted: Int) -> [(spent: Int, count: Int)] {
        var left = min(wanted, available)
        var taken: [(spent: Int, count: Int)] = []
        var retries = max(min(readyCount, (left + 1) / 2), min(readyCount, left - min(left, fresh)))
        left -= retries
        let first = min(left, fresh)
        fresh -= first
        if first > 0 { taken.append((0, first)) }
        for spent in ready.indices.reversed() where retries > 0 && ready[spent] > 0 {
            let count = min(ready[spent], retries)
            ready[spent] -= count
            readyCount -= count
            retries -= count
            taken.append((spent, count))
        }
        return taken
    }

    /// Ends all that are open.
    /// - Returns: how many.
    mutating func end() -> Int {
        let count = open
        self = Backlog(fresh: 0)
        return count
    }
}
