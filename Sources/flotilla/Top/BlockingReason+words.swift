import Model
import Policy
import Telemetry

extension BlockingReason {
    /// A word for scripts and a sentence for people; both empty where nothing holds the mailing up.
    var said: (kind: String, words: String) {
        switch self {
        case .none: ("", "")
        case .paused(let why): ("paused", why.isEmpty ? "paused" : why)
        case .due(let seconds): ("due", "all that is left waits for its next attempt, in \(Self.text(seconds))")
        case .undecided(let count): ("undecided", "\(grouped(count)) wait for a person to decide: flotilla mailing uncertain")
        case .noWorker(let channel): ("no_worker", "no worker that serves \(channel.rawValue) is alive")
        case .down(let provider): ("down", "provider \(provider) is down; one message at a time tries it")
        case .asked(let scope, let seconds): ("asked", "\(scope) asked to wait \(Self.text(seconds)) more")
        case .limited(let scope): ("limited", "throttled by \(scope)")
        case .lag(let seconds): ("lag", "results wait for a collector, the oldest for \(Self.text(seconds))")
        case .stuck(let seconds): ("stuck", "stuck: nobody got a result for \(Self.text(seconds))")
        }
    }

    private static func text(_ seconds: Double) -> String { TimeSpan.text(seconds: seconds.rounded()) }
}
