/// What a limit counts. Its text is the same in the ledger, in Redis, in metrics and on the command line: `provider:NAME`,
/// `channel:email`, `mailing:ID`, `domain:NAME`. Code compares scopes, never the beginning of their text.
package enum LimitScope: Sendable, Hashable, CustomStringConvertible {
    /// What a scope is the name of.
    package enum Kind: String, Sendable, CaseIterable {
        case provider, channel, mailing, domain
    }

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
        switch Kind(rawValue: String(text[..<colon])) {
        case .provider: self = .provider(ProviderURL.canonicalName(name) ?? name)
        case .mailing: self = .mailing(name)
        case .domain: self = .domain(name)
        case .channel:
            guard let channel = Channel(rawValue: name) else { return nil }
            self = .channel(channel)
        case nil: return nil
        }
    }

    package var description: String { "\(kind.rawValue):\(name)" }

    package var kind: Kind {
        switch self {
        case .provider: .provider
        case .channel: .channel
        case .mailing: .mailing
        case .domain: .domain
        }
    }

    private var name: String {
        switch self {
        case .provider(let name), .mailing(let name), .domain(let name): name
        case .channel(let channel): channel.rawValue
        }
    }
}

/// Travels as its text.
extension LimitScope: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let scope = LimitScope(text) else { throw WireError("'\(text)' is not a scope") }
        self = scope
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
