/// A link of a mailing that a recipient of a domain followed, by another way than a POST.
package struct DomainVisit: Sendable, Equatable {
    /// A number for the domain of the recipient's address.
    package var domain: Int
    /// A number for the recipient.
    package var recipient: Int
    package var link: UInt16
    /// In milliseconds.
    package var time: Int64

    package init(domain: Int, recipient: Int, link: UInt16, time: Int64) {
        (self.domain, self.recipient, self.link, self.time) = (domain, recipient, link, time)
    }
}

extension EventClassifier {
    /// Which visits of a mailing came with those of many other recipients of their domain, of the same link at once: a gateway looks at a
    /// message for a house. Of a large domain some always meet by chance, so they must also be a share of it.
    /// - Parameters:
    ///   - visits: in any order.
    ///   - recipients: how many recipients of the mailing a domain has.
    /// - Returns: for each visit whether it is a machine's.
    package func machines(_ visits: [DomainVisit], recipients: [Int: Int]) -> [Bool] {
        struct Place: Hashable {
            let domain: Int
            let link: UInt16
        }
        var result = visits.map { _ in false }
        let bursts = rules.bursts
        for (place, indices) in Dictionary(grouping: visits.indices, by: { Place(domain: visits[$0].domain, link: visits[$0].link) }) {
            let share = ((recipients[place.domain] ?? 0) * bursts.domainShare + 99) / 100
            let needed = max(bursts.domainRecipients, share)
            guard indices.count >= needed else { continue }
            let order = indices.sorted { visits[$0].time < visits[$1].time }
            var counts: [Int: Int] = [:]
            // Visits before the end of the last burst are marked once.
            var (start, marked) = (0, 0)
            for (end, index) in order.enumerated() {
                counts[visits[index].recipient, default: 0] += 1
                while visits[order[start]].time < visits[index].time - bursts.window {
                    let recipient = visits[order[start]].recipient
                    counts[recipient] = counts[recipient].flatMap { $0 > 1 ? $0 - 1 : nil }
                    start += 1
                }
                guard counts.count >= needed else { continue }
                for place in max(start, marked)...end { result[order[place]] = true }
                marked = end + 1
            }
        }
        return result
    }
}
