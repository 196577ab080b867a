import Model
import Policy
import Testing

/// What a refusal says of its recipient's address.
@Suite struct SuppressionRulesTests {
    private func kind(_ code: Int, _ text: String, stage: DeliveryStage = .rcpt) -> BounceKind? {
        let parties = MessageParties(sender: "news@example.com", recipient: "ann@example.net", hostname: "mail.example.com")
        let facts = ResponseFacts(code: code, stage: stage, text: text, parties: parties)
        let result = RecipientResult(
            index: 0, state: .failed, attempts: 5, at: 1, response: ResponseTable.standard.response(.smtp, facts))
        return BounceKind(result)
    }

    @Test(arguments: [
        (550, "5.1.1 no such user"), (550, "5.1.1"), (550, "5.1.2 domain not found for ann@example.net"), (550, "5.2.1"),
        (550, "5.1.6 recipient has moved"), (554, "5.1.10 recipient address has null MX"),
    ])
    func whatIsCertainAndLastsIsHard(code: Int, text: String) { #expect(kind(code, text) == .hard) }

    @Test(arguments: [
        (452, "4.2.2 mailbox full"), (552, "5.2.2 mailbox full"), (450, "4.1.1 user unknown"), (451, "4.7.1 greylisted, try again"),
    ])
    func whatIsCertainAndPassesIsSoft(code: Int, text: String) { #expect(kind(code, text) == .soft) }

    @Test(arguments: [
        (550, ""), (550, "no"), (550, "mailbox unavailable"), (550, "5.7.1 blocked using zen.spamhaus.org"), (550, "5.7.26 DMARC"),
        (550, "5.1.1 sender mailbox not found"), (452, "4.3.1 our quota exceeded"), (421, "4.7.28 too many messages"),
        (554, "5.6.0 message looks like spam"), (550, "5.4.1 recipient address rejected: access denied"), (553, "5.1.8 sender address"),
    ])
    func whatMayBeOursIsNone(code: Int, text: String) { #expect(kind(code, text) == nil) }

    @Test func expiryIsThatOfTheReason() {
        let rules = SuppressionRules()
        let day: Int64 = 86_400_000
        #expect(rules.expiry(of: .hard, .unknownUser, at: 7) == nil && rules.expiry(of: .hard, .moved, at: 7) == nil)
        #expect(rules.expiry(of: .hard, .unknownHost, at: 7) == 7 + 180 * day && rules.expiry(of: .hard, .inactive, at: 7) == 7 + 180 * day)
        #expect(rules.expiry(of: .soft, .unknownUser, at: 7) == 7 + 90 * day)
    }
}
