import Broker
import Model
import Policy
import Synchronization

/// Gathers what providers answer to a worker, and slows scopes down together with the rest of the fleet.
final class PaceKeeper: Sendable {
    func note(_ verdict: Verdict, provider: String, domain: String?) {}

    func slowed(_ scopes: Set<String>) async throws(RedisError) -> Set<String> { [] }
}
