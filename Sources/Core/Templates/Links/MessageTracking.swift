package import Model
package import Signing
import Text

/// A page of the tracker, by the field that stands for its address in templates.
package enum TrackerPage: String, Sendable, CaseIterable {
    case unsubscribe = "unsubscribe_url"
    case preferences = "preferences_url"
    case view = "view_url"

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
    let campaign: CampaignQuery

    /// - Parameters:
    ///   - base: the tracker's public address: scheme, host and perhaps a path, without a final slash.
    ///   - mailing: the mailing's number in the ledger.
    ///   - rules: the mailing's own.
    package init(base: String, keys: SigningKeys, mailing: UInt32, _ rules: MailingTracking = MailingTracking()) {
        self.keys = keys
        self.mailing = mailing
        campaign = CampaignQuery(rules.campaign)
        self.base = Array(base.utf8)
        click = Array("\(base)/c/".utf8)
        open = Array("\(base)/o/".utf8)
    }

    /// The most bytes that a counted link is longer than four thirds of its target.
    var overhead: Int { click.count + 40 + campaign.count * 4 / 3 }
}

/// The links of one recipient's message.
struct TrackedMessage {
    let tracking: MessageTracking
    let subject: TokenSubject

    /// Nil for a recipient whose numbers a token has no room for.
    init?(_ tracking: MessageTracking, batch: Int, index: Int) {
        guard let subject = TokenSubject(mailing: tracking.mailing, batch: batch, index: index) else { return nil }
        self.tracking = tracking
        self.subject = subject
    }

    /// Replaces a target at the end of a message by the link that counts it.
    /// - Parameter start: where the target begins.
    /// - Returns: whether it does; a target that leads elsewhere than to the web is removed alone.
    func replaceTarget(_ number: UInt16, from start: Int, as form: BodyForm, in out: inout [UInt8]) -> Bool {
        var target = Array(out[start...])
        out.removeLast(target.count)
        tracking.campaign.add(to: &target)
        guard Self.leadsToTheWeb(target) else { return false }
        write(form, into: &out) { out in
            out += tracking.click
            TrackedLink(number: number, target: target).append(subject, keys: tracking.keys, to: &out)
        }
        return true
    }

    /// Writes the address of a page.
    func write(_ page: TrackerPage, as form: ValueForm, into out: inout [UInt8]) {
        var address = tracking.base
        page.prefix.withUTF8Buffer { address += $0 }
        tracking.keys.appendToken(page.purpose, subject, to: &address)
        address.withUnsafeBufferPointer { out.append($0, as: form) }
    }

    /// Writes the picture that tells that the message was opened.
    func writePixel(as form: BodyForm, into out: inout [UInt8]) {
        write(form, into: &out) { out in
            out += "<img src=\"".utf8
            out += tracking.open
            tracking.keys.appendToken(.open, subject, to: &out)
            out += "\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">".utf8
        }
    }

    /// Writes the headers by which a mail program unsubscribes without a visit (RFC 8058).
    func writeUnsubscribeHeaders(into out: inout [UInt8]) {
        out += "List-Unsubscribe: <".utf8
        write(.unsubscribe, as: .verbatim, into: &out)
        out += ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".utf8
    }

    private func write(_ form: BodyForm, into out: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        guard form == .quoted else { return body(&out) }
        var written: [UInt8] = []
        body(&written)
        written.withUnsafeBufferPointer { out.appendQuoted($0) }
    }

    /// A whole URL of `http:` or `https:` with a host, with nothing in it that no URL has.
    private static func leadsToTheWeb(_ target: [UInt8]) -> Bool {
        guard target.count <= TrackedLink.longestTarget, target.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return false }
        for scheme in ["http://", "https://"] {
            let length = scheme.utf8.count
            guard target.count > length, zip(target, scheme.utf8).allSatisfy({ $0.lowercased == $1 }) else { continue }
            return !"/?#\\".utf8.contains(target[length])
        }
        return false
    }
}
