import Ledger
import Logging
import Model
import Policy

/// Finds the links that many recipients of one domain followed at once, in what a collector has written, and has them count as a
/// machine's. It looks behind the writing: events never wait for it. What it has in memory is lost when the process ends, and such visits
/// stay people's.
actor DomainBursts {
    /// What is known of a mailing's recipients.
    private struct Domains {
        var batches: [Int: [UInt32]] = [:]
        /// Recipients in `batches`.
        var count = 0
        var sizes: [UInt32: Int]?
        var used = 0
    }

    /// Recipients of whom the domain is remembered at most, of 4 bytes each.
    private static let most = 4_000_000
    /// Mailings that are remembered at most.
    private static let mailings = 16

    private let ledger: any VisitDomainStore
    private let rules: EventRules
    private let classifier: EventClassifier
    private let clocks: Clocks
    private let logger: Logger
    private var watch: DomainWatch
    private var known: [UInt32: Domains] = [:]
    private var turn = 0
    private var line = RepeatedLine()

    init(_ ledger: any VisitDomainStore, _ rules: EventRules, _ classifier: EventClassifier, clocks: Clocks, logger: Logger) {
        (self.ledger, self.rules, self.classifier, self.clocks, self.logger) = (ledger, rules, classifier, clocks, logger)
        watch = DomainWatch(classifier.rules.bursts)
    }

    /// Looks at events that are in the ledger now.
    func look(at batches: [EventBatch]) async {
        let visits = batches.flatMap { $0.events.compactMap { LinkVisit($0) } }
        guard !visits.isEmpty else { return }
        do throws(LedgerError) {
            let found = watch.add(visits, at: clocks.monotonic / 1_000_000)
            for (mailing, visits) in found.sorted(by: { $0.key < $1.key }) { try await look(at: visits, of: mailing) }
        } catch {
            if line.add(at: clocks.monotonic) != nil { logger.warning("links that a domain follows at once are not looked for: \(error)") }
        }
    }

    private func look(at visits: [LinkVisit], of mailing: UInt32) async throws(LedgerError) {
        try await load(mailing, Set(visits.map { Int($0.batch) }))
        guard let domains = known[mailing] else { return }
        var (places, found): ([LinkVisit], [DomainVisit]) = ([], [])
        for visit in visits {
            guard let batch = domains.batches[Int(visit.batch)], Int(visit.index) < batch.count, batch[Int(visit.index)] != 0 else {
                continue
            }
            places.append(visit)
            found.append(
                DomainVisit(
                    domain: Int(batch[Int(visit.index)]), recipient: Int(visit.batch) << 14 | Int(visit.index), link: visit.link,
                    time: visit.time))
        }
        // How large a domain is, is asked once enough of it came together.
        guard classifier.machines(found, recipients: [:]).contains(true) else { return }
        let sizes = if let sizes = domains.sizes { sizes } else { try await ledger.domainSizes(of: mailing) }
        known[mailing]?.sizes = sizes
        let wanted = Set(found.map(\.domain))
        let recipients = Dictionary(uniqueKeysWithValues: wanted.map { ($0, sizes[UInt32(truncatingIfNeeded: $0)] ?? 0) })
        let machines = zip(places, classifier.machines(found, recipients: recipients)).filter(\.1).map(\.0)
        let new = watch.unmarked(machines)
        let changed = try await ledger.mark(new, rules)
        // Only now: what the ledger did not take is tried again.
        watch.noteMarked(new)
        if changed > 0 { logger.debug("\(changed) visits are a machine's: many of one domain followed the same link at once") }
    }

    /// Has the domains of some batches be known.
    private func load(_ mailing: UInt32, _ batches: Set<Int>) async throws(LedgerError) {
        turn += 1
        let missing = batches.subtracting((known[mailing] ?? Domains()).batches.keys)
        let found = missing.isEmpty ? [:] : try await ledger.domains(of: mailing, batches: missing)
        makeRoom(for: found.values.reduce(0) { $0 + $1.count }, besides: mailing)
        var domains = known[mailing] ?? Domains()
        domains.batches.merge(found) { $1 }
        domains.count = domains.batches.values.reduce(0) { $0 + $1.count }
        domains.used = turn
        known[mailing] = domains
    }

    /// Forgets the mailings of which nothing was asked for longest.
    private func makeRoom(for count: Int, besides mailing: UInt32) {
        while known.count >= Self.mailings || known.values.reduce(count, { $0 + $1.count }) > Self.most {
            guard let oldest = known.filter({ $0.key != mailing }).min(by: { $0.value.used < $1.value.used }) else { break }
            known[oldest.key] = nil
        }
        // One of more recipients than that begins anew.
        if (known[mailing]?.count ?? 0) + count > Self.most { known[mailing]?.batches = [:] }
    }
}
