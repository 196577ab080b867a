import Bounces
import Model
package import Policy
package import Signing
import Text
import Transport

/// Says which message a mail that came back is of, and what it says of it. By the address that it came to, where that is signed; else by
/// our Message-ID together with the recipient, which the ledger compares. What names neither is ignored.
package struct MailMatcher: Sendable {
    /// What became of a mail, for the metrics.
    enum Outcome: String, CaseIterable, Sendable {
        case bounced, delayed, delivered, complained, reply, unsubscribed
        /// Its address has a token that we did not sign.
        case forged
        /// It names no message of ours, or no recipient.
        case foreign
        /// Its address is of one message, and the message that came back another.
        case conflicting
    }

    struct Match: Sendable, Equatable {
        var outcome: Outcome
        var receipt: ProviderReceipt?
        var event: TrackedEvent?
    }

    private let keys: SigningKeys?
    private let responses: ResponseTable

    /// - Parameter keys: those that sign return paths and links; nil where there are none.
    package init(keys: SigningKeys?, responses: ResponseTable = .standard) { (self.keys, self.responses) = (keys, responses) }

    /// - Parameter now: milliseconds since 1970.
    func match(_ mail: IncomingMail, at now: Int64) -> Match {
        let parts = MailParts(mail.head)
        let addresses = Self.addresses(mail, parts.header)
        let isNull = mail.recipients.isEmpty ? Self.isNull(parts.header["return-path"]) : mail.sender.isEmpty
        if let event = unsubscribe(addresses, at: now) {
            // A bounce to it is no wish of a person.
            return isNull ? Match(outcome: .foreign) : Match(outcome: .unsubscribed, event: event)
        }
        let own = signed(addresses)
        if case .failure(.forged) = own { return Match(outcome: .forged) }
        // A complaint has the envelope of the message that it is about.
        let inner = signed([parts.feedback["original-mail-from"], parts.returned["return-path"]])
        let report = ReturnedMail(parts, isNull: isNull, responses: responses)
        let ids = report.messageIDs.filter { Self.isOurs($0) }
        guard let message = (try? own.get()) ?? (try? inner.get()) else { return unsigned(report, ids, at: now) }
        if report.kind == .reply { return Match(outcome: .reply) }
        let id = "\(message.mailing).\(message.batch).\(message.index)"
        guard ids.isEmpty || ids.contains(where: { $0 == id || $0.hasPrefix("\(id)@") }) else { return Match(outcome: .conflicting) }
        return Match(report, report.recipients.first, id: id, as: ProviderReceipt.returnedMail, at: now)
    }

    /// A mail to an address that is not signed: of our Message-ID, where it names a recipient.
    private func unsigned(_ report: ReturnedMail, _ ids: [String], at now: Int64) -> Match {
        guard let id = ids.first else { return Match(outcome: .foreign) }
        if report.kind == .reply { return Match(outcome: .reply) }
        guard let recipient = report.recipients.first(where: { !$0.address.isEmpty }) else { return Match(outcome: .foreign) }
        return Match(report, recipient, id: id, as: ProviderReceipt.unsignedMail, at: now)
    }

    /// Whether a Message-ID has the form of ours.
    private static func isOurs(_ messageID: String) -> Bool {
        var receipt = ProviderReceipt(.unknown, word: "")
        receipt.messageID = messageID
        return receipt.place != nil
    }

    /// The message that one of the addresses is signed for.
    private func signed(_ addresses: [String]) -> Result<ReturnedMessage?, TokenFault> {
        guard let keys else { return .success(nil) }
        var fault: TokenFault?
        for address in addresses {
            do throws(TokenFault) {
                if let message = try ReturnPath.message(of: address, keys: keys) { return .success(message) }
            } catch { fault = error }
        }
        return fault.map { .failure($0) } ?? .success(nil)
    }

    /// The wish of a recipient whose mail program wrote to his address for that; nil for any other mail.
    private func unsubscribe(_ addresses: [String], at now: Int64) -> TrackedEvent? {
        guard let keys else { return nil }
        for address in addresses {
            guard let subject = UnsubscribeAddress.subject(of: address, keys: keys) else { continue }
            var event = TrackedEvent(
                .unsubscribe, by: .post, mailing: subject.mailing, batch: subject.batch, index: subject.index, time: now)
            event.agent = "mailto"
            return event
        }
        return nil
    }

    /// The addresses that a mail came to: those of its envelope, else those that its last server wrote into it.
    private static func addresses(_ mail: IncomingMail, _ header: MailFields) -> [String] {
        let names = ["delivered-to", "x-original-to", "envelope-to"] + (mail.recipients.isEmpty ? ["to"] : [])
        let fields: [Substring] = names.flatMap { header.all($0) }.flatMap { $0.split(separator: ",") }
        return mail.recipients + fields.prefix(20).map { field in String(field.drop { " <\t".contains($0) }) }
    }

    private static func isNull(_ path: String) -> Bool { path.filter { $0 != " " } == "<>" }
}

extension MailMatcher.Match {
    /// What a mail says of a message.
    /// - Parameters:
    ///   - recipient: what it says of its recipient.
    ///   - source: one of those of `ProviderReceipt.isMail`.
    fileprivate init(_ report: ReturnedMail, _ recipient: ReturnedRecipient?, id: String, as source: String, at now: Int64) {
        let recipient = recipient ?? ReturnedRecipient(.unknown)
        let kind: ProviderReceipt.Kind
        switch report.kind {
        case .delayed: (outcome, kind) = (.delayed, .deferred)
        case .delivered: (outcome, kind) = (.delivered, .delivered)
        case .complained: (outcome, kind) = (.complained, .complained)
        // One that is final, and suppresses nobody though its reason does: another attempt may end better.
        case .bounced where recipient.reason.consequence.suppresses && !recipient.suppresses: (outcome, kind) = (.bounced, .undelivered)
        case .bounced: (outcome, kind) = (.bounced, .bounced)
        case .reply:
            outcome = .reply
            return
        }
        var receipt = ProviderReceipt(kind, word: recipient.reason.rawValue)
        (receipt.webhook, receipt.messageID, receipt.arrived) = (source, id, now)
        receipt.recipient = recipient.original.isEmpty ? recipient.address : recipient.original
        receipt.detail = recipient.text.isEmpty ? recipient.status : recipient.text
        self.receipt = receipt
    }
}
