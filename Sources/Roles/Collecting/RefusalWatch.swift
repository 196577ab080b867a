import Ledger
import Model
import Policy
import Synchronization

/// The circuits of the mailings whose results pass through a collector, for as long as there are refusals among their last responses.
final class RefusalWatch: Sendable {
    /// Mailings at most that are watched at a time.
    private static let most = 1_000

    private let thresholds: RefusalThresholds
    private let circuits = Mutex<[MailingID: RefusalCircuit]>([:])

    init(_ thresholds: RefusalThresholds) { self.thresholds = thresholds }

    /// Takes note of results that were written.
    func note(_ group: ResultGroup) -> RefusalCircuit.Finding? {
        let mailing = group.batch.mailing
        // Nearly all groups are of mailings without refusals, and have none.
        let hasRefusals = group.results.contains(where: RefusalCircuit.isRefusal)
        return circuits.withLock { circuits in
            guard hasRefusals || circuits[mailing] != nil else { return nil }
            if circuits.count >= Self.most { circuits.removeAll() }
            var circuit = circuits[mailing] ?? RefusalCircuit(thresholds)
            let finding = circuit.note(group.results)
            circuits[mailing] = circuit.isQuiet ? nil : circuit
            return finding
        }
    }

    /// Judges those who wait because nobody of their mailing was accepted yet.
    func judge(_ held: DoubtfulRefusals) -> RefusalCircuit.Finding? {
        var counts: [Refusal: Int] = [:]
        var texts: [Refusal: String] = [:]
        // The commonest first.
        for response in held.responses {
            let refusal = Refusal(response.reason ?? .unknown, code: response.code, text: response.text)
            counts[refusal, default: 0] += response.count
            if texts[refusal] == nil { texts[refusal] = response.text }
        }
        let facts = RefusalCircuit.BeforeAcceptance(
            accepted: held.accepted, open: held.open, isPlanned: held.isPlanned, refusals: counts)
        return RefusalCircuit.judge(facts, thresholds).map { RefusalCircuit.Finding(common: $0, text: texts[$0.refusal] ?? "") }
    }
}
