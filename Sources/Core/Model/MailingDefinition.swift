/// A mailing as it is stored in the ledger and published in Redis: its JSON, with the wire version of the release that wrote it, so that an
/// older release leaves it to a newer one and does not take what it cannot read for damage.
package struct MailingDefinition: Codable, Sendable {
    package let mailing: Mailing
    /// The mailing's number in the ledger, in what is published of a mailing with links to the tracker.
    package let number: UInt32?
    /// The tracker of such a mailing; nil where the planner that published it has none.
    package let tracker: PublishedTracker?

    package init(_ mailing: Mailing, number: UInt32? = nil, tracker: PublishedTracker? = nil) {
        self.mailing = mailing
        self.number = number
        self.tracker = tracker
    }

    /// The newest version of a definition that this release reads. An older release would send what needs a newer one otherwise than it
    /// says.
    private static let newest = 2

    /// The oldest version that says all that is in it, so that workers of an older release take every mailing that they can send.
    private var version: Int { mailing.headers == nil ? WireVersion.current : 2 }

    private enum Key: String, CodingKey {
        case version, number, tracker
    }

    /// - Throws: `WireError` for a newer version, and where a number is out of range; `DecodingError` for another form.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let version = try container.decodeIfPresent(Int.self, forKey: .version)
        try WireVersion.check(version.map(String.init) ?? "", newest: Self.newest)
        mailing = try Mailing(from: decoder)
        try mailing.check()
        number = try container.decodeIfPresent(UInt32.self, forKey: .number)
        tracker = try container.decodeIfPresent(PublishedTracker.self, forKey: .tracker)
    }

    package func encode(to encoder: any Encoder) throws {
        try mailing.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .version)
        try container.encodeIfPresent(number, forKey: .number)
        try container.encodeIfPresent(tracker, forKey: .tracker)
    }
}
