import Model
import Policy
import Telemetry

extension BlockingReason {
    /// What `top --output json` calls it; empty when nothing blocks the mailing.
    var kind: String {
        switch self {
        case .none: ""
        case .paused: "paused"
        case .due: "not_due"
        case .undecided: "decision_needed"
        case .noPlanner: "no_planner"
        case .redis: "redis"
        case .noWorker: "no_worker"
        case .down: "breaker_open"
        case .asked: "provider_pause"
        case .limited: "limit"
        case .connections: "connections"
        case .lag: "collector_lag"
        case .stuck: "stuck"
        }
    }

    /// A sentence for people; empty when nothing blocks the mailing.
    func text(of mailing: MailingID) -> String {
        switch self {
        case .none: ""
        case .paused(let reason): reason.isEmpty ? "paused" : reason
        case .due(let seconds): "all open recipients wait for their next attempt, in \(Self.text(seconds))"
        case .undecided(let count):
            "\(counted(count, "held recipient")) \(count == 1 ? "waits" : "wait") for a decision: flotilla mailing uncertain \(mailing)"
        case .noPlanner: "no planner is at work; it continues when one starts: flotilla up, or flotilla planner"
        case .redis(let problem): problem
        case .noWorker(let channel): "no worker that serves \(channel.rawValue) is at work; it continues when one starts: flotilla worker"
        case .down(let provider): "the circuit breaker of provider \(provider) is open; one message at a time probes it"
        case .asked(let scope, let seconds): "\(scope) is paused for another \(Self.text(seconds)), as the provider asked"
        case .limited(let scope): "limited by \(scope)"
        case .connections(let provider, let setting):
            "limited by the connections to provider \(ProviderURL.name(of: provider)): all are in use (\(setting) for each worker)"
        case .lag(let seconds): "results wait for a collector, the oldest for \(Self.text(seconds))"
        case .stuck(let seconds): "stuck: no recipient got a result for \(Self.text(seconds))"
        }
    }

    private static func text(_ seconds: Double) -> String { TimeSpan.text(seconds: seconds.rounded()) }
}
