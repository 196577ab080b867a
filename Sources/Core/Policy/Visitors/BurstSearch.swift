import Model

/// Finds what no person does in the visits of one recipient: many links at once. Its time grows with the visits, not with their square,
/// because anybody who has a link can make visits: bursts are more than a window apart, so that few share a visit.
struct BurstSearch {
    /// Visits from one time to another, in milliseconds, of which enough are of different links.
    struct Burst {
        var first: Int64
        var last: Int64
    }

    private let visits: [TrackedEvent]
    private let bursts: BurstThresholds

    init(_ visits: [TrackedEvent], _ bursts: BurstThresholds) { (self.visits, self.bursts) = (visits, bursts) }

    /// The bursts in order; those that overlap are one.
    /// - Parameter order: the places of the visits, by time.
    func bursts(_ order: [Int], _ linksOfParts: [Int]) -> [Burst] {
        var found: [Burst] = []
        var window = LinkWindow(linksOfParts, bursts)
        // A POST is somebody's decision, and the pixel is no link.
        let order = order.filter { visits[$0].action != .open && visits[$0].method != .post }
        var start = 0
        for (end, index) in order.enumerated() {
            let time = visits[index].time
            window.add(visits[index])
            while visits[order[start]].time < time - bursts.window {
                window.remove(visits[order[start]])
                start += 1
            }
            guard start <= end, window.isBurst else { continue }
            let first = visits[order[start]].time
            if let last = found.last, first <= last.last {
                found[found.count - 1].last = time
            } else {
                found.append(Burst(first: first, last: time))
            }
        }
        return found
    }

    /// The visits that belong to a burst: those of links in its time, and the pixel in its time or before it. A pixel that came by a proxy
    /// is a reader's; one well before the burst counts where it came from the same address or by the same program.
    func members(of burst: Burst, _ order: [Int], _ classes: [VisitorClass]) -> [Int] {
        let near = order[places(from: burst.first - max(bursts.pixelBefore, bursts.window), to: burst.last + bursts.window, in: order)]
            .filter { visits[$0].method != .post }
        let links = near.filter { visits[$0].action != .open && burst.first...burst.last ~= visits[$0].time }
        let visitors = Set(links.map { visits[$0].visitor }).subtracting([0])
        let agents = Set(links.map { visits[$0].agent })
        let pixels = near.filter { index in
            let visit = visits[index]
            guard visit.action == .open, classes[index] != .proxied else { return false }
            return visit.time >= burst.first - bursts.window
                || visit.time >= burst.first - bursts.pixelBefore && (visitors.contains(visit.visitor) || agents.contains(visit.agent))
        }
        return links + pixels
    }

    /// The visits from the address that sent a damaged token, at about the same time: whoever changes tokens tries them out.
    func besideDamaged(_ order: [Int]) -> [Int] {
        let damaged = Dictionary(grouping: order.filter { visits[$0].damaged && visits[$0].visitor != 0 }) { visits[$0].visitor }
        guard !damaged.isEmpty else { return [] }
        return order.filter { index in
            let visit = visits[index]
            guard visit.method != .post, let damaged = damaged[visit.visitor] else { return false }
            return !places(from: visit.time - bursts.window, to: visit.time + bursts.window, in: damaged).isEmpty
        }
    }

    /// Where the visits of a time are in an order.
    private func places(from first: Int64, to last: Int64, in order: [Int]) -> Range<Int> {
        func place(_ isBefore: (Int64) -> Bool) -> Int {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if isBefore(visits[order[middle]].time) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        let start = place { $0 < first }
        return start..<max(start, place { $0 <= last })
    }
}

/// The links that were visited in a window of time.
private struct LinkWindow {
    /// The visits of each link in the window; pages of the tracker count as links, but as none of a part.
    private var counts: [Int: Int] = [:]
    /// The numbers of each part's links, of parts that have enough of them.
    private let parts: [Range<Int>]
    /// How many of each part's links are in the window.
    private var seen: [Int]
    private let links: Int

    init(_ linksOfParts: [Int], _ bursts: BurstThresholds) {
        var parts: [Range<Int>] = []
        var start = 0
        for count in linksOfParts where count > 0 {
            if count >= bursts.allOf { parts.append(start..<(start + count)) }
            start += count
        }
        self.parts = parts
        seen = parts.map { _ in 0 }
        links = bursts.links
    }

    var isBurst: Bool { counts.count >= links || parts.indices.contains { seen[$0] == parts[$0].count } }

    mutating func add(_ visit: TrackedEvent) {
        let key = Self.key(visit)
        counts[key, default: 0] += 1
        if counts[key] == 1 { count(key, 1) }
    }

    mutating func remove(_ visit: TrackedEvent) {
        let key = Self.key(visit)
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
        if count == 1 { self.count(key, -1) }
    }

    private mutating func count(_ key: Int, _ by: Int) {
        for (index, part) in parts.enumerated() where part.contains(key) { seen[index] += by }
    }

    private static func key(_ visit: TrackedEvent) -> Int {
        visit.action == .click ? Int(visit.link) : 1 << 16 + Int(visit.action.rawValue)
    }
}
