package import Model
package import Policy

/// What a mail that came to us says of messages of ours. Nothing in it can be trusted: whose message it is, whoever reads it has to prove.
package struct ReturnedMail: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// It did not arrive, and is tried no more (RFC 3464 section 2.3.3).
        case bounced
        /// It is tried again.
        case delayed
        case delivered
        /// A person called the message spam (RFC 5965).
        case complained
        /// A machine answered for the person (RFC 3834), or a person did.
        case reply
    }

    package var kind: Kind
    /// Those that it names, with what it says of each; one without an address where it names none.
    package var recipients: [ReturnedRecipient]
    /// The Message-IDs that may be of our message, without brackets, the most certain first.
    package var messageIDs: [String]
    /// It comes from a machine that answers, or from a list: it is never answered.
    package var isAutomatic: Bool

    /// Reads a mail.
    /// - Parameters:
    ///   - isNull: its envelope has no sender, as that of a report has (RFC 5321 section 4.5.5).
    package init(_ mail: MailParts, isNull: Bool, responses: ResponseTable = .standard) {
        let signs = BounceSigns(mail, isNull: isNull)
        isAutomatic = signs.isAutomatic
        messageIDs = Self.identifiers(in: mail)
        if !mail.feedback.isEmpty || signs.isComplaintText {
            (kind, recipients) = Self.complaint(mail)
        } else if let notice = AmazonNotice(mail, responses) {
            (kind, recipients) = (notice.kind, [notice.recipient])
        } else if let report = DeliveryStatus(mail, responses) {
            (kind, recipients) = (report.kind, report.recipients)
        } else if signs.isBounce {
            let text = BounceText(mail, responses)
            (kind, recipients) = (text.kind, text.recipients)
        } else {
            (kind, recipients) = (.reply, [ReturnedRecipient(signs.isAutomatic ? .autoReply : .unknown)])
        }
    }

    private static func complaint(_ mail: MailParts) -> (Kind, [ReturnedRecipient]) {
        let type = mail.feedback["feedback-type"]
        // RFC 5965 section 3.5, RFC 6591: what is no complaint of a person changes nothing.
        let isPersons = !["not-spam", "auth-failure", "virus"].contains(type.lowercased())
        var addresses = (mail.feedback.all("original-rcpt-to") + mail.feedback.all("removal-recipient")).map(MailAddress.inField)
        if addresses.isEmpty { addresses = [MailAddress.inField(mail.returned["to"])] }
        let recipients = addresses.prefix(100).map { address in
            var recipient = ReturnedRecipient(.complaint)
            recipient.address = address
            recipient.text = type
            return recipient
        }
        return (isPersons ? .complained : .reply, Array(recipients))
    }

    private static func identifiers(in mail: MailParts) -> [String] {
        let lines = mail.lines.filter { $0.lowercased().hasPrefix("message-id:") }.map { String($0.dropFirst(11)) }
        let fields = [mail.returned["message-id"]] + lines + [mail.header["in-reply-to"], mail.header["references"]]
        var found: [String] = []
        for word in fields.flatMap({ $0.split { " <>\t,".contains($0) } }).prefix(50) where word.contains("@") {
            if !found.contains(String(word)) { found.append(String(word)) }
        }
        return found
    }
}

/// What a mail says of one recipient of a message of ours.
package struct ReturnedRecipient: Sendable, Equatable {
    package var kind = ReturnedMail.Kind.bounced
    /// As it was given to the server; empty where it is not named.
    package var address = ""
    /// Original-Recipient (RFC 3461 section 4.2); empty where there is none.
    package var original = ""
    /// The enhanced code (RFC 3463); empty where there is none.
    package var status = ""
    /// The reply code; 0 where there is none.
    package var code = 0
    /// The words of the other side, as one line.
    package var text = ""
    package var reason: ResponseReason
    /// The mailbox or its domain is not there, or elsewhere, for good.
    package var isHard = false
    /// The other side says so of this recipient for certain: nothing is sent to the address any more.
    package var suppresses = false

    package init(_ reason: ResponseReason) { self.reason = reason }
}
