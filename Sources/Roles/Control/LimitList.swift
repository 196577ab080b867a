package import Ledger
package import Model
import Policy
package import Settings

/// The scopes of a configuration, with their limits there and those that were set at run time.
package struct LimitList {
    private let settings: Settings
    private let overrides: [StoredScope: LimitOverride]

    package init(_ settings: Settings, _ overrides: [LimitOverride]) {
        self.settings = settings
        self.overrides = Dictionary(overrides.map { ($0.scope, $0) }) { $1 }
    }

    /// A scope with its limits.
    package struct Entry: Sendable, Equatable {
        package let scope: StoredScope
        /// That of the configuration.
        package let configured: String
        /// That which was set at run time, and is in effect.
        package let override: LimitOverride?
    }

    /// All scopes of the configuration, and those for which a limit was set at run time.
    package var entries: [Entry] {
        let known = known.map(StoredScope.known)
        let others = overrides.keys.filter { !known.contains($0) }.sorted { $0.description < $1.description }
        return (known + others).map { Entry(scope: $0, configured: configured($0.scope), override: overrides[$0]) }
    }

    /// The limit of the configuration, as text.
    package func configured(_ scope: LimitScope?) -> String { scope.flatMap(settings.limits.limit)?.description ?? RateLimit.none }

    /// Reads the name of a scope whose limit may be set.
    /// - Throws: `OrderError` with the scopes that there are.
    package func scope(_ text: String) throws(OrderError) -> LimitScope {
        let scope = try Self.form(text)
        switch scope {
        case .channel, .mailing: return scope
        case .provider(let name): return try provider(name)
        case .domain(let name):
            guard settings.limits.domains.contains(where: { $0.name == name }) else { throw unknown(domain: name) }
            return scope
        }
    }

    /// Reads the name of a scope, whether or not the configuration has it.
    /// - Throws: `OrderError` where no configuration could have it.
    package static func form(_ text: String) throws(OrderError) -> LimitScope {
        guard let scope = LimitScope(text) else {
            let names = Channel.allCases.map { LimitScope.channel($0).description }.joined(separator: ", ")
            throw OrderError.refused("'\(text)' is not a scope; scopes are provider:NAME, \(names), domain:NAME")
        }
        if case .mailing(let id) = scope {
            throw OrderError.refused("a mailing's limit is its speed; set it by: flotilla mailing speed \(id) LIMIT")
        }
        if case .provider(let name) = scope, ProviderURL.isURL(name) {
            do { _ = try ProviderURL.parse(name) } catch { throw OrderError.refused("provider:\(name) \(error)") }
        }
        return scope
    }

    private func provider(_ name: String) throws(OrderError) -> LimitScope {
        if settings.providers[name] != nil { return .provider(name) }
        guard ProviderURL.isURL(name) else {
            throw OrderError.refused(
                "flotilla.yaml has no provider '\(name)'; there \(list(settings.providers.keys.sorted())), "
                    + "or a URL as in provider:smtp://127.0.0.1:2525")
        }
        do { return .provider(try ProviderURL.parse(name).name) } catch { throw OrderError.refused("provider:\(name) \(error)") }
    }

    private func unknown(domain name: String) -> OrderError {
        if let scope = DomainTable(settings.limits.domains).scope(of: "@\(name)") {
            return OrderError.refused("'\(name)' belongs to \(scope); set the limit of that")
        }
        return OrderError.refused(
            "flotilla.yaml has no '\(name)' below domains; there \(list(settings.limits.domains.map(\.name))). "
                + "A limit for further domains needs an entry there, and workers started with it")
    }

    private func list(_ names: [String]) -> String {
        switch names.count {
        case 0: "are none"
        case 1: "is \(names[0])"
        default: "are \(names.joined(separator: ", "))"
        }
    }

    private var channels: [LimitScope] { Channel.allCases.map(LimitScope.channel) }

    private var known: [LimitScope] {
        settings.providers.keys.sorted().map(LimitScope.provider) + channels + settings.limits.domains.map { .domain($0.name) }
    }
}
