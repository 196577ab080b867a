import Model
import Policy

/// A mailing while a plan runs.
struct SimulatedMailing: Sendable {
    let plan: MailingPlan
    /// When the last of its recipients is planned, and the first message may begin.
    let ready: Double
    let rule: OutcomeRule
    /// Kinds of send, by their places.
    var kinds: [Int] = []
    var isStarted = false
    var report: Forecast.Mailing
    private var held: [Bottleneck: Double] = [:]

    init(_ plan: MailingPlan, ready: Double, retries: RetrySchedule?) {
        self.plan = plan
        self.ready = ready
        rule = OutcomeRule(
            attempts: plan.attempts, expires: Int64((plan.at + plan.lifetime) * 1000),
            retries: RetryRules(for: plan.channel, override: retries), uncertain: plan.uncertain)
        report = Forecast.Mailing(name: plan.name, recipients: plan.recipients, at: plan.at)
    }

    var expires: Double { plan.at + plan.lifetime }
    /// Recipients without a final state.
    var open: Int { plan.recipients - report.sent - report.failed - report.expired - report.held }
    private var batches: Int { (plan.recipients + plan.batchSize - 1) / max(1, plan.batchSize) }

    /// Workers that have work of it.
    /// - Parameter most: that there are.
    func busyWorkers(of most: Int, _ all: [TrafficClass]) -> Double {
        let (first, due) = kinds.reduce((0, 0)) {
            ($0.0 + all[$1].backlog.fresh + all[$1].flying, $0.1 + all[$1].backlog.readyCount)
        }
        // Each of those who are due is in another batch.
        guard due < most else { return Double(most) }
        if batches <= most { return Double(min(most, batches + due)) }
        // At the end some workers have up to a batch more than others: of `most` with evenly spread rests, when `first` messages are left
        // so many still have some.
        let spread = Double(most * plan.batchSize) / 2
        return min(Double(most), max(1, Double(most) * (Double(first) / spread).squareRoot()) + Double(due))
    }

    mutating func note(_ bottleneck: Bottleneck, for seconds: Double) { held[bottleneck, default: 0] += seconds }

    mutating func look(at time: Double) {
        if report.mostEnd == nil, open * 100 <= plan.recipients { report.mostEnd = time }
    }

    /// The report, with the bottlenecks.
    var finished: Forecast.Mailing {
        var report = report
        if plan.at < ready { report.bottlenecks.append(Forecast.Delay(by: .planning, seconds: min(ready, expires) - plan.at)) }
        report.bottlenecks += held.map { Forecast.Delay(by: $0.key, seconds: $0.value) }
        report.bottlenecks.sort { ($0.seconds, $1.by.name) > ($1.seconds, $0.by.name) }
        return report
    }
}
