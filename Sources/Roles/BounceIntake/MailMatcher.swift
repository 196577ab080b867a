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
        let report = MailReport(parts, sender: isNull ? "" : mail.sender, responses: responses)
        let own = signed(addresses)
        if case .failure(.forged) = own { return Match(outcome: .forged) }
        // A complaint has the envelope of the message that it is about.
        let inner = signed([parts.feedback["original-mail-from"], parts.returned["return-path"]].map(MailReport.address))
        let message = (try? own.get()) ?? (try? inner.get())
        guard let outcome = Outcome(rawValue: report.kind.rawValue) else { return Match(outcome: .foreign) }
        guard report.kind != .reply else { return Match(outcome: message == nil && report.messageID.isEmpty ? .foreign : .reply) }
        var receipt = ProviderReceipt(Self.kind(of: report), word: report.reason.rawValue)
        receipt.messageID = report.messageID
        receipt.recipient = report.recipient
        receipt.detail = report.detail
        receipt.arrived = now
        if let message {
            let id = "\(message.mailing).\(message.batch).\(message.index)"
            guard report.messageID.isEmpty || report.messageID.hasPrefix("\(id)@") || report.messageID == id else {
                return Match(outcome: .conflicting)
            }
            (receipt.webhook, receipt.messageID) = (ProviderReceipt.returnedMail, id)
            return Match(outcome: outcome, receipt: receipt)
        }
        guard receipt.place != nil, !receipt.recipient.isEmpty else { return Match(outcome: .foreign) }
        receipt.webhook = ProviderReceipt.unsignedMail
        return Match(outcome: outcome, receipt: receipt)
    }

    /// What a report is to the ledger: `bounced` where it is final and the address is known to be no good, or is not said to be.
    private static func kind(of report: MailReport) -> ProviderReceipt.Kind {
        switch report.kind {
        case .delayed: .deferred
        case .delivered: .delivered
        case .complained: .complained
        case .bounced, .reply: report.isHard || !report.reason.consequence.suppresses ? .bounced : .undelivered
        }
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

    /// The wish of a recipient whose mail program wrote to `unsubscribe+TOKEN` (RFC 2369 section 3.2); nil for any other mail.
    private func unsubscribe(_ addresses: [String], at now: Int64) -> TrackedEvent? {
        guard let keys else { return nil }
        for address in addresses {
            let local = address[..<(address.lastIndex(of: "@") ?? address.endIndex)]
            guard let plus = local.firstIndex(of: "+"), local[..<plus].lowercased() == "unsubscribe",
                let subject = try? keys.verify(Array(local[local.index(after: plus)...].utf8), for: .unsubscribe)
            else { continue }
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
        return mail.recipients
            + names.flatMap { header.all($0) }.flatMap { $0.split(separator: ",") }.prefix(20).map {
                MailReport.address(String($0))
            }
    }

    private static func isNull(_ path: String) -> Bool { path.filter { $0 != " " } == "<>" }
}
