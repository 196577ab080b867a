/// What a provider tells of a message that it took, in one form for all providers.
package struct ProviderReceipt: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The provider took it, or passed it on.
        case accepted = 1
        /// The recipient's server or telephone has it.
        case delivered
        /// It is tried again.
        case deferred
        /// The recipient's side refused it for good.
        case bounced
        /// It was refused for now, and is not tried again.
        case undelivered
        /// The provider itself does not send it.
        case rejected
        /// The person called it spam.
        case complained
        case opened, clicked, unsubscribed, resubscribed
        /// One that we do not know: it is kept aside, and counted.
        case unknown

        package init?(name: String) {
            guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = kind
        }

        package var name: String { "\(self)" }

        /// Those that change what is counted.
        package static let counted: [Self] = [.delivered, .bounced, .undelivered, .rejected, .complained, .opened, .clicked, .unsubscribed]

        /// The message did not arrive, and the provider tries it no more.
        package var isBounce: Bool { self == .bounced || self == .undelivered || self == .rejected }
    }

    package var kind: Kind
    /// The provider's word for it.
    package var word: String
    /// The webhook that it came by, and the provider that the webhook is of, by the names in the settings.
    package var webhook = ""
    package var provider = ""
    /// The provider's id of the message, without what it adds for a recipient; empty where it names none.
    package var providerID = ""
    /// The Message-ID that we gave it, without angle brackets, or our id of the message; empty where the provider does not tell.
    package var messageID = ""
    package var recipient = ""
    /// In milliseconds since 1970; nil where the provider does not tell.
    package var time: Int64?
    /// When the tracker got it, in milliseconds since 1970.
    package var arrived: Int64 = 0
    /// The words of the recipient's server, the reason, or the link that was followed.
    package var detail = ""
    /// By the provider's own judgement, a machine opened or followed it.
    package var isMachine = false

    package init(_ kind: Kind, word: String) {
        self.kind = kind
        self.word = word
    }

    /// What stands for the webhook of a receipt that came as mail to an address which we had signed for its message, and of one that
    /// came otherwise: its recipient has to be that of the message. Neither is the name of a webhook in the settings, for its space.
    package static let returnedMail = "returned mail"
    package static let unsignedMail = "unsigned mail"

    /// It came as mail.
    package var isMail: Bool { webhook == Self.returnedMail || webhook == Self.unsignedMail }
    /// It counts only where its recipient is that of the message: whoever has seen a Message-ID can send it.
    package var needsRecipient: Bool { webhook == Self.unsignedMail }
    /// Why a message came back as mail: its `word` then is a reason's name.
    package var reason: ResponseReason { isMail ? ResponseReason(name: word) : .unknown }

    /// Bytes of a text that a receipt keeps at most.
    package static let textBytes = 998

    /// The recipient that `messageID` names, as each of our Message-IDs does (`BatchID.message`); nil where it is none of ours.
    package var place: (batch: BatchID, index: Int)? {
        let parts = messageID.prefix { $0 != "@" }.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let mailing = MailingID(String(parts[0])), let number = Int(parts[1]), let index = Int(parts[2]),
            WireLimit.count.contains(Int64(number)), WireLimit.index.contains(Int64(index))
        else { return nil }
        return (BatchID(mailing: mailing, number: number), index)
    }
}
