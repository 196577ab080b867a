import Loadtest
import Model
import Policy
import Settings
import Simulation
import Sink
import Synthetic

/// A scenario as a plan, and what a plan cannot express of it.
struct ScenarioPlan {
    var plan: FleetPlan
    var notes: [String] = []

    init(_ scenario: Scenario) {
        plan = FleetPlan(mailings: [], providers: [:])
        let settings = scenario.fleet.settings
        plan.limits = settings.limits
        plan.concurrency = settings.worker.concurrency
        plan.group = settings.worker.group
        plan.window = settings.planner.window
        plan.seed = scenario.seed
        if let base = settings.worker.retryBase {
            plan.retries = RetrySchedule(base: base.seconds, cap: max(base, settings.worker.retryCap).seconds)
        }
        for sink in scenario.sinks {
            plan.providers[sink.name] = provider(sink, settings)
        }
        for mailing in scenario.mailings { add(mailing) }
        follow(scenario)
    }

    private mutating func provider(_ sink: Scenario.SinkPlan, _ settings: Settings) -> ProviderPlan {
        let profile = sink.profile
        var latency = Latency.fixed(0)
        switch profile.latency?.shape {
        case .even(let least, let most)?: latency = .even(Double(least) / 1e9...Double(most) / 1e9)
        case .logNormal(let p50, let p99)?: latency = .logNormal(p50: p50 / 1e9, p99: p99 / 1e9)
        case nil: break
        }
        var provider = ProviderPlan(isSMTP: profile.proto == .smtp, latency: latency)
        let known = settings.providers[sink.name]
        provider.connections = known?.connections ?? provider.connections
        provider.mostConnections = profile.connections.flatMap { $0 > 0 ? $0 : nil }
        provider.messagesPerConnection = profile.messagesPerConnection.flatMap { $0 > 0 ? $0 : nil }
        let table = settings.worker.responses
        if let limit = profile.limit {
            let fault = limit.fault(over: profile.proto)
            let response = Self.response(to: fault, at: profile.proto == .smtp ? .rcpt : .response, profile.proto, table)
            if response.action == .slowDown {
                provider.hiddenLimit = HiddenLimit(
                    perSecond: limit.rate.perSecond, burst: Double(limit.rate.burst), retryAfter: response.retryAfter)
            } else {
                notes.append(
                    "what \(sink.name) says above its limit is '\(response.action.rawValue)' to us, not 'slow_down': its limit is ignored")
            }
        }
        for expected in profile.failures?.expected(over: profile.proto) ?? [] where expected.share > 0 {
            let stage: DeliveryStage =
                switch expected.stage {
                case .connect: .connect
                case .mail: .mail
                case .rcpt: .rcpt
                case .data, .http: .response
                }
            provider.responses.append(
                ResponseShare(share: expected.share, response: Self.response(to: expected.fault, at: stage, profile.proto, table)))
            if expected.fault.kind == .stall { provider.stalls += expected.share * (known?.responseTime.seconds ?? 60) }
        }
        return provider
    }

    /// How Flotilla sees a fault of the sink.
    private static func response(
        to fault: Fault, at stage: DeliveryStage, _ proto: SinkProfile.Proto, _ table: ResponseTable
    ) -> ProviderResponse {
        guard case .response(let code) = fault.kind else {
            return stage == .response
                ? ProviderResponse(missed: fault.kind == .stall ? .timedOut : .connectionEnded, stage: stage, text: "")
                : ProviderResponse(action: .reconnect, stage: stage, code: 0, text: "")
        }
        var response = table.response(
            proto == .smtp ? .smtp : .http,
            ResponseFacts(code: code, stage: stage, text: fault.text, hasRetryAfter: fault.retryAfter != nil))
        response.retryAfter = fault.retryAfter.map(Double.init)
        response.hasProviderFailed = proto == .http && response.action == .retry && 500...599 ~= code
        return response
    }

    private mutating func add(_ mailing: Scenario.MailingPlan) {
        for copy in 1...mailing.copies {
            var planned = MailingPlan(
                name: mailing.copies == 1 ? mailing.name : "\(mailing.name)-\(copy)", channel: mailing.channel,
                provider: mailing.provider, recipients: mailing.recipients, speed: mailing.speed)
            planned.at = mailing.at
            planned.domains = shares(of: mailing)
            if let size = mailing.extra["batch_size"].flatMap({ Int($0) }), size > 0 { planned.batch = size }
            if let attempts = mailing.extra["attempts"].flatMap({ Int($0) }) { planned.attempts = attempts }
            if let policy = mailing.extra["uncertain"].flatMap({ Mailing.UncertainPolicy(rawValue: $0) }) {
                planned.uncertain = policy
            }
            if let text = mailing.extra["lifetime"] {
                do { planned.lifetime = Double(try TimeSpan(text).seconds) } catch { notes.append("lifetime: \(error)") }
            }
            plan.mailings.append(planned)
        }
    }

    /// Shares of a mailing's recipients by the entry of `domains:` in the settings that theirs belongs to.
    private func shares(of mailing: Scenario.MailingPlan) -> [String: Double] {
        guard mailing.channel == .email else { return [:] }
        let table = DomainTable(plan.limits.domains)
        let usual = SyntheticRecipients.usualDomains
        let rest = max(0, 1 - mailing.domains.reduce(0) { $0 + $1.share }) / Double(usual.count)
        var shares: [String: Double] = [:]
        for (domain, share) in mailing.domains.map({ ($0.domain, $0.share) }) + usual.map({ ($0, rest) }) {
            guard case .domain(let entry)? = table.scope(of: "somebody@\(domain)") else { continue }
            shares[entry, default: 0] += share
        }
        return shares
    }
}
