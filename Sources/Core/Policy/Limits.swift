package import Model

/// The limits of a fleet, but for those of mailings: what `flotilla.yaml` says, or that with what was set at run time.
package struct Limits: Sendable, Equatable {
    /// By the provider's name.
    package var providers: [String: RateLimit] = [:]
    /// Channels that have a limit; at first those with a ceiling by default.
    package var channels: [Channel: RateLimit] = Channel.ceilings
    /// In the order of their names, each name once.
    package var domains: [DomainLimit] = []

    package init() {}

    /// The limit of a scope; nil for none, and for mailings, which have their own.
    package func limit(_ scope: LimitScope) -> RateLimit? {
        switch scope {
        case .provider(let name): providers[name]
        case .channel(let channel): channels[channel]
        case .domain(let name): domains.first { $0.name == name }?.limit
        case .mailing: nil
        }
    }

    /// These limits with others in the place of some.
    /// - Parameter overrides: a limit as text by its scope; `none` lifts the scope's limit.
    /// - Returns: the limits, and a sentence for each override that is not understood: that scope's limit is left as it was.
    package func applying(_ overrides: [String: String]) -> (limits: Limits, problems: [String]) {
        var limits = self
        var problems: [String] = []
        for (key, text) in overrides.sorted(by: { $0.key < $1.key }) {
            guard let scope = LimitScope(key) else {
                problems.append(
                    "the limit of \(key) is ignored: there is no such scope; write provider:NAME, channel:NAME or domain:NAME")
                continue
            }
            do throws(RateLimitError) {
                if let problem = try limits.set(scope, RateLimit.orNone(text)) {
                    problems.append("the limit of \(scope) is ignored: \(problem)")
                }
            } catch {
                let left = limit(scope).map { "\($0)" } ?? RateLimit.none
                problems.append("the limit of \(scope) stays as it was, \(left): \(error)")
            }
        }
        return (limits, problems)
    }

    /// - Returns: what is wrong with the scope; nil for nothing.
    private mutating func set(_ scope: LimitScope, _ limit: RateLimit?) -> String? {
        switch scope {
        case .provider(let name): providers[name] = limit
        case .channel(let channel): channels[channel] = limit
        case .domain(let name):
            guard let place = domains.firstIndex(where: { $0.name == name }) else {
                return "flotilla.yaml has no '\(name)' below domains"
            }
            domains[place].limit = limit
        case .mailing: return "a mailing's limit is its speed"
        }
        return nil
    }
}

/// Recipient domains that share a limit, and are slowed down together.
package struct DomainLimit: Sendable, Equatable {
    /// The name of the scope: `domain:NAME`.
    package var name: String
    /// Domains in lower case, each `example.com` or `*.example.com`: any domain below it, and not itself.
    package var names: [String]
    /// Nil: not limited, and still slowed down as one where it asks for that.
    package var limit: RateLimit?

    /// - Parameter names: nil takes the entry's own name for its only domain.
    package init(name: String, names: [String]? = nil, limit: RateLimit? = nil) {
        self.name = name
        self.names = names ?? [name]
        self.limit = limit
    }
}

extension Channel {
    /// The limit of a channel where the operator sets none; nil for none.
    package var ceiling: RateLimit? {
        switch self {
        case .email, .sms, .webhook: nil
        // Below the some 30 a second above which Telegram refuses a bot (its Bots FAQ).
        case .messenger: try? RateLimit("25/s")
        }
    }

    fileprivate static let ceilings = allCases.reduce(into: [Channel: RateLimit]()) { $0[$1] = $1.ceiling }
}

extension RateLimit {
    /// The word for no limit, where a limit is written.
    package static let none = "none"

    /// Reads a limit, or `none`.
    package static func orNone(_ text: String) throws(RateLimitError) -> RateLimit? {
        text == none ? nil : try RateLimit(text)
    }
}
