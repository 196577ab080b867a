package import Model

/// A link of a message that somebody followed, by another way than a POST.
package struct LinkVisit: Sendable, Hashable {
    /// The mailing's number.
    package var mailing: UInt32
    package var batch: UInt32
    package var index: UInt32
    package var link: UInt16
    /// In milliseconds since 1970.
    package var time: Int64

    /// - Returns: nil for an event of another kind.
    package init?(_ event: TrackedEvent) {
        guard event.action == .click, event.method != .post else { return nil }
        (mailing, batch, index, link, time) = (event.mailing, event.batch, event.index, event.link, event.time)
    }
}

/// The links that were followed in the last seconds, as far as they may be a gateway's look at a message for its whole domain. Domains are
/// not known here: it names those visits that enough recipients of any domain made at once, of which the domains are worth a look. Visits
/// are kept for some seconds after they came, whatever the clocks of trackers say, and in bounded number.
package struct DomainWatch: Sendable {
    private struct Link: Hashable {
        var mailing: UInt32
        var link: UInt16
    }

    private struct Seen {
        var visit: LinkVisit
        /// When it came, in milliseconds.
        var at: Int64
    }

    /// Visits that are kept at most.
    package static let most = 50_000

    private let bursts: BurstThresholds
    private var recent: [Link: [Seen]] = [:]
    /// Those that were marked.
    private var marked: Set<LinkVisit> = []
    package private(set) var count = 0

    package init(_ bursts: BurstThresholds) { self.bursts = bursts }

    /// Takes visits over.
    /// - Parameter now: milliseconds of a clock that never goes back.
    /// - Returns: by mailing, those visits that came together with enough others of the same link, the new ones among them.
    package mutating func add(_ visits: [LinkVisit], at now: Int64) -> [UInt32: [LinkVisit]] {
        var links: Set<Link> = []
        for visit in visits {
            let link = Link(mailing: visit.mailing, link: visit.link)
            recent[link, default: []].append(Seen(visit: visit, at: now))
            links.insert(link)
        }
        count += visits.count
        for link in count > Self.most ? Set(recent.keys) : links { forget(link, before: now - 2 * bursts.window) }
        if count > Self.most { forgetAll() }
        var found: [UInt32: [LinkVisit]] = [:]
        for link in links {
            let together = together((recent[link] ?? []).map(\.visit))
            if !together.isEmpty { found[link.mailing, default: []] += together }
        }
        return found
    }

    /// Those that were not marked before, each once.
    package func unmarked(_ visits: [LinkVisit]) -> [LinkVisit] {
        var seen: Set<LinkVisit> = []
        return visits.filter { !marked.contains($0) && seen.insert($0).inserted }
    }

    /// Remembers visits as marked. Those that were forgotten meanwhile are not: nothing would take them out again.
    package mutating func noteMarked(_ visits: [LinkVisit]) {
        for (link, visits) in Dictionary(grouping: visits, by: { Link(mailing: $0.mailing, link: $0.link) }) {
            let kept = Set((recent[link] ?? []).map(\.visit))
            marked.formUnion(kept.intersection(visits))
        }
    }

    private mutating func forget(_ link: Link, before time: Int64) {
        guard let all = recent[link], let first = all.first, first.at < time else { return }
        let kept = all.drop { $0.at < time }
        for seen in all.prefix(all.count - kept.count) { marked.remove(seen.visit) }
        count -= all.count - kept.count
        recent[link] = kept.isEmpty ? nil : Array(kept)
    }

    /// So many within seconds are a flood: it begins anew.
    private mutating func forgetAll() {
        recent = [:]
        marked = []
        count = 0
    }

    private func together(_ visits: [LinkVisit]) -> [LinkVisit] {
        guard visits.count >= bursts.domainRecipients else { return [] }
        let order = visits.sorted { $0.time < $1.time }
        var counts: [UInt64: Int] = [:]
        var found: [LinkVisit] = []
        // Visits before `taken` are among those that were found.
        var (start, taken) = (0, 0)
        for (end, visit) in order.enumerated() {
            counts[Self.recipient(visit), default: 0] += 1
            while order[start].time < visit.time - bursts.window {
                let key = Self.recipient(order[start])
                counts[key] = counts[key].flatMap { $0 > 1 ? $0 - 1 : nil }
                start += 1
            }
            guard counts.count >= bursts.domainRecipients else { continue }
            found += order[max(start, taken)...end]
            taken = end + 1
        }
        return found
    }

    private static func recipient(_ visit: LinkVisit) -> UInt64 { UInt64(visit.batch) << 32 | UInt64(visit.index) }
}
