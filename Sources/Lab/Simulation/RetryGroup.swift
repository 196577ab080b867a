import HeapModule

/// Recipients that are treated alike: they have spent the same attempts and are due together.
struct RetryGroup: Sendable, Equatable {
    /// When their next attempt may begin, in seconds.
    var due: Double
    var spent: Int
    var count: Int
}

/// Items in the order of their times. Of two with the same time the one that was added first comes first, so that the order never
/// depends on anything but the plan.
struct EventQueue<Item: Sendable>: Sendable {
    private struct Entry: Comparable {
        var at: Double
        var number: UInt64
        var item: Item

        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.number) < (right.at, right.number) }
        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    private var entries = Heap<Entry>()
    private var next: UInt64 = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// The time of the first item; nil where there is none.
    var first: Double? { entries.min?.at }

    mutating func add(_ item: Item, at time: Double) {
        entries.insert(Entry(at: time, number: next, item: item))
        next += 1
    }

    /// Takes the first item whose time is not after `time`.
    mutating func pop(until time: Double) -> (at: Double, item: Item)? {
        guard let first = entries.min, first.at <= time else { return nil }
        entries.removeMin()
        return (first.at, first.item)
    }
}
