/// A mailing as it is stored in the ledger and published in Redis: its JSON, with the wire version of the release that wrote it, so that an
/// older release leaves it to a newer one and does not take what it cannot read for damage. The content of its first channel stands in the
/// mailing itself, as in releases that knew one content alone; those of further channels stand beside it.
package struct MailingDefinition: Codable, Sendable {
    /// The mailing as its first channel sends it.
    package let mailing: Mailing
    /// What further channels send.
    package let contents: [Channel: MailingContent]
    /// The mailing's number in the ledger, in what is published of a mailing with links to the tracker.
    package let number: UInt32?
    /// The tracker of such a mailing; nil where the planner that published it has none.
    package let tracker: PublishedTracker?

    /// The newest version of a definition that this release reads. The second has contents of several channels, headers, recipients who
    /// object to tracking, or counted links outside of e-mail, the third what `hasMailParts` tells of: an older release would send such a
    /// mailing otherwise than it says.
    private static let newest = 3

    package init(_ mailing: Mailing, contents: [Channel: MailingContent] = [:], number: UInt32? = nil, tracker: PublishedTracker? = nil) {
        self.mailing = mailing
        self.contents = contents
        self.number = number
        self.tracker = tracker
    }

    /// The oldest version that says all that is in it, so that workers of an older release take every mailing that they can send.
    private var version: Int {
        let isCounted = mailing.channel != .email && mailing.tracking?.isCounted == true
        if mailing.hasMailParts || contents.values.contains(where: { mailing.sent(by: .email, $0).hasMailParts }) { return Self.newest }
        let isNew = !contents.isEmpty || mailing.headers != nil || mailing.tracking?.unless != nil || isCounted
        return isNew ? 2 : WireVersion.current
    }

    /// The mailing as a channel sends it; nil where it has no content for that channel.
    package func mailing(by channel: Channel) -> Mailing? {
        channel == mailing.channel ? mailing : contents[channel].map { mailing.sent(by: channel, $0) }
    }

    private enum Key: String, CodingKey {
        case version, contents, number, tracker
    }

    /// - Throws: `WireError` for a newer version, and where a number is out of range; `DecodingError` for another form.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let version = try container.decodeIfPresent(Int.self, forKey: .version)
        try WireVersion.check(version.map(String.init) ?? "", atMost: Self.newest)
        mailing = try Mailing(from: decoder)
        try mailing.check()
        var contents: [Channel: MailingContent] = [:]
        for (name, content) in try container.decodeIfPresent([String: MailingContent].self, forKey: .contents) ?? [:] {
            guard let channel = Channel(rawValue: name) else {
                throw WireError("it has content for the channel '\(name.prefix(20))', which this release does not know", isNewer: true)
            }
            try mailing.sent(by: channel, content).check()
            contents[channel] = content
        }
        self.contents = contents
        number = try container.decodeIfPresent(UInt32.self, forKey: .number)
        tracker = try container.decodeIfPresent(PublishedTracker.self, forKey: .tracker)
    }

    package func encode(to encoder: any Encoder) throws {
        try mailing.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .version)
        if !contents.isEmpty {
            try container.encode(Dictionary(uniqueKeysWithValues: contents.map { ($0.key.rawValue, $0.value) }), forKey: .contents)
        }
        try container.encodeIfPresent(number, forKey: .number)
        try container.encodeIfPresent(tracker, forKey: .tracker)
    }
}

extension Mailing {
    /// Its messages have files, a preheader, or addresses for replies that differ.
    fileprivate var hasMailParts: Bool { files != nil || preheader != nil || replyTo.contains("{{") }
}
