/// What a limit counts. Its text is the same in the ledger, in Redis, in metrics and on the command line: `provider:NAME`,
/// `channel:email`, `mailing:ID`, `domain:NAME`. Code compares scopes, never the beginning of their text.
package enum LimitScope: Sendable, Hashable, CustomStringConvertible {
    /// By its name in the configuration, or `scheme://host:port`.
    case provider(String)
    case channel(Channel)
    case mailing(String)
    /// By the name of its entry below `domains:`.
    case domain(String)

    /// Reads a scope. A provider that is given by a URL gets its canonical name, so that every spelling of the URL is one scope.
    /// - Returns: nil for a text that names no scope.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let name = String(text[text.index(after: colon)...])
        guard !name.isEmpty else { return nil }
        switch text[..<colon] {
        case "provider": self = .provider(ProviderURL.canonicalName(name) ?? name)
        case "mailing": self = .mailing(name)
        case "domain": self = .domain(name)
        case "channel":
            guard let channel = Channel(rawValue: name) else { return nil }
            self = .channel(channel)
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .provider(let name): "provider:\(name)"
        case .channel(let channel): "channel:\(channel.rawValue)"
        case .mailing(let id): "mailing:\(id)"
        case .domain(let name): "domain:\(name)"
        }
    }
}
