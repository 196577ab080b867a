package import Model

/// Watches the responses to one mailing of which somebody has been accepted, and says when the provider refuses everybody: nearly all of
/// the last responses are one refusal, or some of them are refusals of us. It opens once, and starts anew when the mailing is resumed.
///
/// A pure value: times are parameters, in milliseconds since 1970. It costs nothing for a mailing without refusals, and for one with some a
/// step for each group of results.
package struct RefusalCircuit: Sendable, Equatable {
    /// Responses in a row that are equal, and came within a minute.
    private struct Run: Equatable {
        /// Nil for acceptances.
        var refusal: Refusal?
        var isOfUs: Bool
        var count: Int
        /// When the first came.
        var at: Int64
    }

    /// Responses that are older say nothing about now.
    static let span: Int64 = 3_600_000

    private let thresholds: RefusalThresholds
    /// The last responses, the oldest first; at most `thresholds.window`.
    private var runs: [Run] = []
    /// Responses in `runs`, and the refusals among them by what they are.
    private var total = 0
    private var counts: [Refusal: (all: Int, ofUs: Int)] = [:]

    package init(_ thresholds: RefusalThresholds) { self.thresholds = thresholds }

    package static func == (a: RefusalCircuit, b: RefusalCircuit) -> Bool { a.runs == b.runs && a.thresholds == b.thresholds }

    /// No refusal is among the last responses: nothing would be lost with it.
    package var isQuiet: Bool { counts.isEmpty }

    /// Messages were accepted.
    package mutating func noteAccepted(_ count: Int, at now: Int64) {
        guard count > 0, thresholds.window > 0 else { return }
        append(Run(refusal: nil, isOfUs: false, count: count, at: now))
    }

    /// A recipient was refused.
    /// - Parameter isOfUs: the refusal speaks of us, and the recipient waits for another attempt.
    /// - Returns: why the mailing is to be paused; nil where there is no reason yet.
    package mutating func note(_ refusal: Refusal, isOfUs: Bool, at now: Int64) -> CommonRefusal? {
        guard thresholds.window > 0 else { return nil }
        append(Run(refusal: refusal, isOfUs: isOfUs, count: 1, at: now))
        let (all, ofUs) = counts[refusal] ?? (0, 0)
        let isEverybody = total >= thresholds.window && all * 100 >= total * thresholds.share
        guard isEverybody || thresholds.alike > 0 && ofUs >= thresholds.alike else { return nil }
        let common = CommonRefusal(refusal: refusal, count: isEverybody ? all : ofUs, of: total, isBeforeAcceptance: false)
        self = RefusalCircuit(thresholds)
        return common
    }

    private mutating func append(_ run: Run) {
        if let last = runs.indices.last, runs[last].refusal == run.refusal, runs[last].isOfUs == run.isOfUs,
            run.at - runs[last].at < Self.span / 60
        {
            runs[last].count += run.count
        } else {
            runs.append(run)
        }
        count(run, by: run.count)
        while let first = runs.first, total > thresholds.window || run.at - first.at > Self.span {
            let surplus = run.at - first.at > Self.span ? first.count : min(first.count, total - thresholds.window)
            count(first, by: -surplus)
            if surplus == first.count { runs.removeFirst() } else { runs[0].count -= surplus }
        }
    }

    private mutating func count(_ run: Run, by change: Int) {
        total += change
        guard let refusal = run.refusal else { return }
        var (all, ofUs) = counts[refusal] ?? (0, 0)
        all += change
        if run.isOfUs { ofUs += change }
        counts[refusal] = all == 0 ? nil : (all, ofUs)
    }
}

extension RefusalCircuit {
    /// Why a mailing is to be paused, and the words of one of the refusals.
    package struct Finding: Sendable, Equatable {
        package var common: CommonRefusal
        package var text: String

        package init(common: CommonRefusal, text: String) {
            self.common = common
            self.text = text
        }
    }

    /// Refused for good, or waiting only because the refusal may be of us. Those who wait for a first acceptance are the ledger's to count.
    package static func isRefusal(_ result: RecipientResult) -> Bool {
        guard result.state == .failed || result.doubt == .ofUs || result.doubt == .sinceAcceptance, let response = result.response else {
            return false
        }
        return response.code > 0
    }

    /// Takes note of results, in their order.
    package mutating func note(_ results: [RecipientResult]) -> Finding? {
        var accepted = 0
        var last: Int64 = 0
        defer { noteAccepted(accepted, at: last) }
        for result in results {
            last = max(last, result.at)
            if result.state == .sent {
                accepted += 1
            } else if Self.isRefusal(result), let response = result.response {
                noteAccepted(accepted, at: last)
                accepted = 0
                let refusal = Refusal(response.reason, code: response.code, text: response.text)
                if let common = note(refusal, isOfUs: result.doubt == .ofUs, at: result.at) {
                    return Finding(common: common, text: response.text)
                }
            }
        }
        return nil
    }
}

extension RefusalCircuit {
    /// Recipients who wait because they were refused before anybody of their mailing was accepted.
    package struct BeforeAcceptance: Sendable, Equatable {
        /// Messages of the mailing that a provider took.
        package var accepted: Int
        /// Recipients that are not terminal, and whether they are all that the mailing has.
        package var open: Int
        package var isPlanned: Bool
        /// Those who wait, by the refusal.
        package var refusals: [Refusal: Int]

        package init(accepted: Int, open: Int, isPlanned: Bool, refusals: [Refusal: Int]) {
            self.accepted = accepted
            self.open = open
            self.isPlanned = isPlanned
            self.refusals = refusals
        }
    }

    /// Refusals of all kinds, in multiples of those that must be alike, that are enough too.
    static let unlike = 5

    /// Whether everybody is refused: enough recipients alike, or all who are left where they are fewer, or very many in different words.
    /// - Returns: why the mailing is to be paused, with the commonest refusal; nil where there is no reason yet.
    package static func judge(_ facts: BeforeAcceptance, _ thresholds: RefusalThresholds) -> CommonRefusal? {
        guard thresholds.needsProof, facts.accepted == 0 else { return nil }
        // Of equally many the one with the lower code, so that the outcome does not depend on an order.
        let commonest = facts.refusals.max { ($0.value, -$0.key.code, $1.key.enhanced) < ($1.value, -$1.key.code, $0.key.enhanced) }
        guard let (refusal, count) = commonest, count > 0 else { return nil }
        let all = facts.refusals.values.reduce(0, +)
        let isEnough = count >= thresholds.alike || all >= Self.unlike * thresholds.alike || facts.isPlanned && all >= facts.open
        guard isEnough else { return nil }
        return CommonRefusal(refusal: refusal, count: count, of: facts.open, isBeforeAcceptance: true)
    }
}
