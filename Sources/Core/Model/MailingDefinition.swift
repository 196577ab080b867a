/// A mailing as it is stored in the ledger and published in Redis: its JSON, with the wire version of the release that wrote it, so that an
/// older release leaves it to a newer one and does not take what it cannot read for damage.
package struct MailingDefinition: Codable, Sendable {
    package let mailing: Mailing

    package init(_ mailing: Mailing) { self.mailing = mailing }

    private enum Key: String, CodingKey {
        case version
    }

    /// - Throws: `WireError` for a newer version, and where a number is out of range; `DecodingError` for another form.
    package init(from decoder: any Decoder) throws {
        let version = try decoder.container(keyedBy: Key.self).decodeIfPresent(Int.self, forKey: .version)
        try WireVersion.check(version.map(String.init) ?? "")
        mailing = try Mailing(from: decoder)
        try mailing.check()
    }

    package func encode(to encoder: any Encoder) throws {
        try mailing.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(WireVersion.current, forKey: .version)
    }
}
