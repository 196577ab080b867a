/// The stream of ready batches of one provider and channel: a slow provider delays nobody else's batches.
package struct Lane: Hashable, Sendable, CustomStringConvertible {
    package let channel: Channel
    /// The provider as logs and limits call it: its name in the configuration, or its URL without user and path.
    package let provider: String

    package init(channel: Channel, provider: String) {
        self.channel = channel
        self.provider = provider
    }

    /// Reads `CHANNEL:PROVIDER`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let channel = Channel(rawValue: String(text[..<colon])) else { return nil }
        let provider = text[text.index(after: colon)...]
        guard !provider.isEmpty else { return nil }
        self.init(channel: channel, provider: String(provider))
    }

    package var description: String { "\(channel.rawValue):\(provider)" }
}
