/// Messages that share a fate: as many recipients who have spent as many attempts and are due together.
struct RetryGroup: Sendable, Equatable {
    /// When their next attempt may begin, in seconds.
    var due: Double
    var spent: Int
    var count: Int
}

/// Things in order of their time: a binary heap; of two at the same time whichever was put in first comes first, so that the order
/// never depends on anything but the plan.
struct EventQueue<Item: Sendable>: Sendable {
    private struct Entry {
        var at: Double
        var number: UInt64
        var item: Item
    }

    private var entries: [Entry] = []
    private var next: UInt64 = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// The time of the first; nil where there is none.
    var first: Double? { entries.first?.at }

    mutating func add(_ item: Item, at time: Double) {
        entries.append(Entry(at: time, number: next, item: item))
        next += 1
        var place = entries.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard isBefore(place, parent) else { break }
            entries.swapAt(place, parent)
            place = parent
        }
    }

    /// Takes the first whose time is not after `time`.
    mutating func pop(until time: Double) -> (at: Double, item: Item)? {
        guard let first = entries.first, first.at <= time else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            var place = 0
            while true {
                var least = place
                for child in [2 * place + 1, 2 * place + 2] where child < entries.count && isBefore(child, least) { least = child }
                guard least != place else { break }
                entries.swapAt(place, least)
                place = least
            }
        }
        return (first.at, first.item)
    }

    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        (entries[one].at, entries[one].number) < (entries[other].at, entries[other].number)
    }
}
