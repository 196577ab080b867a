package import Model
package import Signing

/// A page of the tracker, by the field that stands for its address in templates.
package enum TrackerPage: String, Sendable, CaseIterable {
    case unsubscribe = "unsubscribe_url"
    case preferences = "preferences_url"
    case view = "view_url"

    /// Those to which a mailing's messages can lead: none without a tracker. What a program takes is not shown to people.
    static func all(of mailing: Mailing) -> Set<TrackerPage> {
        guard mailing.tracking != nil else { return [] }
        return Set(allCases).subtracting(mailing.channel == .webhook ? [.view] : [])
    }

    /// What the token of its address allows.
    var purpose: TokenPurpose {
        switch self {
        case .unsubscribe: .unsubscribe
        case .preferences: .preferences
        case .view: .view
        }
    }

    /// The prefix of its addresses.
    var prefix: StaticString {
        switch self {
        case .unsubscribe: "/u/"
        case .preferences: "/p/"
        case .view: "/v/"
        }
    }
}

/// How the links of a mailing's messages lead to the tracker.
package final class MessageTracking: Sendable {
    let keys: SigningKeys
    /// The mailing's number in the ledger.
    let mailing: UInt32
    let base: [UInt8]
    /// The tracker's address with the prefix of clicks, up to the token.
    let click: [UInt8]
    let open: [UInt8]
    /// The tracker's address up to the token of a short link.
    let short: [UInt8]
    let campaign: CampaignQuery
    /// The end of the address of those who unsubscribe by mail, from its `@`; nil where they cannot.
    let mailDomain: [UInt8]?

    /// - Parameters:
    ///   - base: the tracker's public address: scheme, host and perhaps a path, without a final slash.
    ///   - mailing: the mailing's number in the ledger.
    ///   - rules: the mailing's own.
    ///   - mailDomain: whose mail is taken from those who unsubscribe by mail; nil where none is.
    package init(
        base: String, keys: SigningKeys, mailing: UInt32, _ rules: MailingTracking = MailingTracking(), mailDomain: String? = nil
    ) {
        self.mailDomain = mailDomain.map { Array("@\($0)".utf8) }
        self.keys = keys
        self.mailing = mailing
        campaign = CampaignQuery(rules.campaign)
        self.base = Array(base.utf8)
        click = Array("\(base)/c/".utf8)
        open = Array("\(base)/o/".utf8)
        short = Array("\(base)/".utf8)
    }

    /// The most bytes that a counted link is longer than four thirds of its target.
    var overhead: Int { click.count + 40 + campaign.count * 4 / 3 }
}
