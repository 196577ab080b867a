import Ledger
import Model
import Policy
import Signing
import Templates

/// A mailing whose recipients are asked about, made ready once.
final class AskedMailing: Sendable {
    let mailing: Mailing
    /// Makes its messages' pages; nil where they are no text for people.
    let view: MessageView?
    /// Where its short links lead, by their numbers; nil for one that cannot be read.
    private let links: [ShortLinkTarget?]

    /// - Parameter tracking: signs the links; nil where this collector has no keys.
    /// - Throws: `TemplateError`, for a mailing of another release.
    init(_ mailing: Mailing, tracking: MessageTracking?) throws(TemplateError) {
        self.mailing = mailing
        view = try MessageView(mailing: mailing, tracking: tracking)
        let count = mailing.channel == .email ? 0 : min(mailing.tracking?.targets.count ?? 0, Int(Question.links))
        links = (0..<count).map { try? ShortLinkTarget(mailing, link: $0) }
    }

    /// Where a short link leads; nil where there is no such link.
    func link(_ number: UInt32) -> ShortLinkTarget? { links.indices.contains(Int(number)) ? links[Int(number)] : nil }

    /// The message of a recipient as a page.
    func page(of recipient: AskedRecipient) -> Answer {
        guard let view, let values = recipient.values else { return .gone }
        guard values.width == mailing.fields.count, values.count == 1 else { return .unable }
        return Answer.page(view.page(values, row: 0, of: recipient.batch, index: recipient.index)).bounded
    }
}

/// The mailings that were asked about lately. What a mailing consists of never changes.
actor AskedMailings {
    /// By what links to the tracker are made.
    struct Signer: Sendable {
        var addresses: TrackerAddresses
        var keys: SigningKeys
    }

    /// Mailings that are remembered at most.
    private static let most = 32

    private let ledger: any MailingStore
    private let signer: Signer?
    private var known: [MailingID: AskedMailing] = [:]
    /// The known ones by their numbers in the ledger.
    private var numbers: [UInt32: MailingID] = [:]
    /// The known ones, the one that was asked about last at the end.
    private var order: [MailingID] = []

    init(_ ledger: any MailingStore, _ signer: Signer?) { (self.ledger, self.signer) = (ledger, signer) }

    /// - Parameter number: the mailing's in the ledger.
    /// - Returns: nil for one that is gone.
    /// - Throws: `LedgerError`; `TemplateError`.
    func mailing(_ id: MailingID, number: UInt32) async throws -> AskedMailing? {
        order.removeAll { $0 == id }
        if let found = known[id] {
            order.append(id)
            return found
        }
        guard let mailing = try await ledger.mailing(id)?.mailing else { return nil }
        let tracking = signer.map {
            MessageTracking(
                base: $0.addresses.url(ofSender: mailing.from), keys: $0.keys, mailing: number, mailing.tracking ?? MailingTracking())
        }
        let made = try AskedMailing(mailing, tracking: tracking)
        if order.count >= Self.most { known[order.removeFirst()] = nil }
        order.append(id)
        known[id] = made
        numbers = numbers.filter { known[$0.value] != nil }
        numbers[number] = id
        return made
    }

    /// One that was asked about before; nil for any other.
    func known(numbered number: UInt32) -> AskedMailing? { numbers[number].flatMap { known[$0] } }
}
