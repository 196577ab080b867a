import Model
import Signing
import Text

/// The links of one recipient's message.
struct TrackedMessage {
    let tracking: MessageTracking
    let subject: TokenSubject
    /// Links lead to the tracker, and there is a pixel. Else there are the addresses of pages alone.
    let isCounted: Bool

    /// Nil for a recipient whose numbers a token has no room for.
    init?(_ tracking: MessageTracking, batch: Int, index: Int, isCounted: Bool = true) {
        guard let subject = TokenSubject(mailing: tracking.mailing, batch: batch, index: index) else { return nil }
        self.tracking = tracking
        self.subject = subject
        self.isCounted = isCounted
    }

    /// Replaces a target at the end of a message by the link that counts it.
    /// - Parameter start: where the target begins.
    /// - Returns: whether it does; a target that leads elsewhere than to the web is removed alone.
    func replaceTarget(_ number: UInt16, from start: Int, as form: BodyForm, in out: inout [UInt8]) -> Bool {
        var target = Array(out[start...])
        out.removeLast(target.count)
        tracking.campaign.add(to: &target)
        guard target.withUnsafeBufferPointer({ WebTarget.isWhole($0) }) else { return false }
        write(form, into: &out) { out in
            out += tracking.click
            TrackedLink(number: number, target: target).append(subject, keys: tracking.keys, to: &out)
        }
        return true
    }

    /// Replaces a target at the end of a short message by a link that is a token alone.
    /// - Parameters:
    ///   - number: the link's, below `TokenSubject.links`.
    ///   - start: where the target begins.
    /// - Returns: whether it does; a target that leads elsewhere than to the web is removed alone.
    func shortenTarget(_ number: UInt16, from start: Int, as form: ValueForm, in out: inout [UInt8]) -> Bool {
        let isWhole = out.withUnsafeBufferPointer { bytes in
            WebTarget.isWhole(Bytes(rebasing: bytes[start...]), growing: tracking.campaign.count)
        }
        out.removeLast(out.count - start)
        guard isWhole, let subject = subject.with(link: number) else { return false }
        tracking.short.withUnsafeBufferPointer { out.append($0, as: form) }
        // None of a token's signs is escaped anywhere.
        tracking.keys.appendToken(.shortLink, subject, to: &out)
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
        guard isCounted else { return }
        write(form, into: &out) { out in
            out += "<img src=\"".utf8
            out += tracking.open
            tracking.keys.appendToken(.open, subject, to: &out)
            out += "\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">".utf8
        }
    }

    /// Writes the headers by which a mail program unsubscribes without a visit (RFC 8058), and those without a browser by mail (RFC 2369
    /// section 3.2).
    func writeUnsubscribeHeaders(into out: inout [UInt8]) {
        out += "List-Unsubscribe: <".utf8
        write(.unsubscribe, as: .verbatim, into: &out)
        if let domain = tracking.mailDomain {
            out += ">,\r\n <mailto:".utf8
            UnsubscribeAddress.append(subject, domain: domain, keys: tracking.keys, to: &out)
        }
        out += ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".utf8
    }

    private func write(_ form: BodyForm, into out: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        guard form == .quoted else { return body(&out) }
        var written: [UInt8] = []
        body(&written)
        written.withUnsafeBufferPointer { out.appendQuoted($0) }
    }
}
