import Model
import Testing

@testable import Policy

@Suite struct SMTPResponseTableTests {
    /// A word in an address says nothing.
    @Test(arguments: ["bad@spamhaus.example", "dmarc.bad@d.example", "blacklist.bad@reputation.example"])
    func anAddressInAResponseDecidesNothing(_ address: String) {
        let facts = ResponseFacts(code: 550, stage: .rcpt, text: "5.1.1 <\(address)>: Recipient address rejected: User unknown")
        let decision = ResponseTable.standard.decide(.smtp, facts)
        #expect(decision.reason == .unknownUser && decision.action == .fail && decision.subject == .recipient)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var code: Int
        var text: String
        var stage: DeliveryStage
        var reason: ResponseReason
        var action: ResponseAction
        var testDescription: String { "\(code) \(text) at \(stage) is \(reason): \(action)" }

        init(_ code: Int, _ text: String, _ stage: DeliveryStage, _ reason: ResponseReason, _ action: ResponseAction) {
            self.code = code
            self.text = text
            self.stage = stage
            self.reason = reason
            self.action = action
        }
    }

    private func decide(_ item: Case, _ more: String = "") -> ResponseTable.Decision {
        ResponseTable.standard.decide(.smtp, ResponseFacts(code: item.code, stage: item.stage, text: item.text + more))
    }

    @Test(arguments: [
        Case(250, "2.0.0", .response, .accepted, .accept),
        Case(251, "", .rcpt, .accepted, .accept),
        Case(421, "4.7.0", .mail, .rate, .slowDown),
        Case(421, "", .response, .rate, .slowDown),
        Case(454, "4.7.0", .auth, .system, .slowDown),
        Case(454, "", .response, .system, .slowDown),
        Case(432, "4.7.12", .auth, .setUp, .pauseMailing),
        Case(450, "", .greeting, .rate, .slowDown),
        Case(452, "4.3.1", .mail, .system, .slowDown),
        Case(450, "4.7.1", .mail, .rate, .slowDown),
        Case(450, "4.7.1", .rcpt, .policy, .retry),
        Case(452, "4.2.2", .rcpt, .full, .retry),
        Case(452, "4.5.3", .rcpt, .rate, .reconnect),
        Case(451, "", .response, .unknown, .retry),
        Case(450, "4.3.0", .mail, .system, .retry),
        Case(554, "", .greeting, .setUp, .pauseMailing),
        Case(554, "blocked using a list", .greeting, .reputation, .pauseMailing),
        Case(535, "5.7.8", .auth, .setUp, .pauseMailing),
        Case(530, "5.7.0", .mail, .setUp, .pauseMailing),
        Case(530, "", .rcpt, .setUp, .pauseMailing),
        Case(550, "5.7.26", .response, .authentication, .pauseMailing),
        Case(550, "5.1.8", .rcpt, .policy, .pauseMailing),
        Case(553, "", .mail, .setUp, .pauseMailing),
        Case(500, "5.3.0", .mail, .setUp, .pauseMailing),
        Case(552, "5.3.4", .mail, .tooLarge, .fail),
        Case(552, "", .mail, .tooLarge, .fail),
        Case(552, "5.2.2", .rcpt, .full, .retry),
        Case(552, "", .rcpt, .full, .retry),
        Case(552, "", .response, .tooLarge, .fail),
        Case(550, "5.1.1", .rcpt, .unknownUser, .fail),
        Case(550, "5.1.1", .response, .unknownUser, .fail),
        Case(550, "5.1.2", .rcpt, .unknownHost, .fail),
        Case(501, "5.1.3", .rcpt, .unknownUser, .fail),
        Case(550, "5.1.6", .rcpt, .moved, .fail),
        Case(556, "5.1.10", .rcpt, .unknownHost, .fail),
        Case(550, "5.2.1", .rcpt, .inactive, .fail),
        Case(550, "5.4.1", .rcpt, .unknownUser, .fail),
        Case(550, "", .rcpt, .unknown, .fail),
        Case(551, "", .rcpt, .moved, .fail),
        Case(553, "", .rcpt, .unknown, .fail),
        Case(554, "", .rcpt, .unknown, .fail),
        Case(550, "5.7.1", .rcpt, .policy, .fail),
        Case(554, "5.7.1", .rcpt, .policy, .fail),
        Case(550, "", .response, .unknown, .fail),
        Case(554, "5.6.0", .response, .content, .fail),
        Case(500, "5.3.0", .rcpt, .system, .fail),
        Case(550, "4.1.8", .rcpt, .unknown, .fail),
        Case(354, "", .mail, .unknown, .retry),
        Case(0, "", .body, .unknown, .retry),
        Case(999, "", .rcpt, .unknown, .retry),
    ])
    func repliesAreClassifiedByTheTable(_ item: Case) {
        #expect(decide(item).reason == item.reason && decide(item).action == item.action, "\(decide(item))")
        #expect(decide(item, " no").action == item.action)
    }

    @Test func everyReplyKeepsTheMeaningOfItsFirstDigit() {
        let possible: [Int: Set<ResponseAction>] = [
            2: [.accept], 3: [.retry], 4: [.retry, .slowDown, .reconnect, .pauseMailing],
            5: [.retry, .slowDown, .fail, .pauseMailing],
        ]
        var wrong: [String] = []
        for code in stride(from: 200, through: 599, by: 7) {
            for stage in DeliveryStage.allCases {
                for (subject, detail) in [(0, 0), (1, 1), (1, 7), (2, 2), (3, 4), (5, 3), (7, 1), (7, 26), (9, 999)] {
                    let action = ResponseTable.standard.classify(
                        .smtp, code: code, stage: stage, text: "\(code / 100).\(subject).\(detail) no")
                    if possible[code / 100]?.contains(action) != true { wrong.append("\(code) \(subject).\(detail) \(action)") }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: [
        Case(421, "4.7.28 Gmail has detected an UNUSUAL RATE OF unsolicited mail", .rcpt, .rate, .slowDownDomain),
        Case(421, "4.7.0 an unusual rate of unsolicited mail", .response, .rate, .slowDownDomain),
        Case(421, "4.7.28 an unusual rate of unsolicited mail", .greeting, .rate, .slowDown),
        Case(421, "4.7.28 an unusual rate of unsolicited mail", .mail, .rate, .slowDown),
        Case(451, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", .data, .reputation, .slowDownDomain),
        Case(451, "4.7.650 The mail server has been temporarily rate limited", .rcpt, .reputation, .slowDownDomain),
        Case(450, "4.1.1 unverified: host mx.example.com[192.0.2.1] said: 421 rate limit", .rcpt, .rate, .slowDownDomain),
        Case(450, "4.1.1 unverified: host mx.example.com[192.0.2.1] said: 450 greylisted", .rcpt, .greylisted, .retry),
        Case(450, "4.2.1 The user is receiving mail at a rate that", .rcpt, .rate, .retry),
        Case(450, "4.2.1 Peak SMTP relay limit exceeded for this customer", .rcpt, .rate, .slowDown),
    ])
    func textsTellTheDomainFromTheProvider(_ item: Case) {
        #expect(decide(item).reason == item.reason && decide(item).action == item.action, "\(decide(item))")
    }

    /// Relays' own words for a refusal of us, of Postfix, Exim, sendmail, qmail, Exchange and others, at RCPT.
    @Test(arguments: [
        "554 5.7.1 <a@example.com>: Relay access denied", "454 4.7.1 <a@example.com>: Relay access denied", "550 relay not permitted",
        "550 5.7.1 <a@example.com>... Relaying denied", "550-Relay not permitted. You must authenticate.", "550 5.7.1 Unable to relay",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "550 authentication required",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "550 5.7.0 Authentication required",
        "553 5.7.1 <me@example.com>: Sender address rejected: not owned by user news", "550 Please turn on SMTP Authentication",
        "554 5.7.1 <me@example.com>: Sender address rejected: Access denied",
        "550 5.7.60 SMTP; Client does not have permissions to send as",
        "554 Message rejected: Email address is not verified.", "550 The from address does not match a verified Sender Identity.",
        "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "530 5.7.0 Must issue a STARTTLS command first",
        "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org", "550 5.7.25 no PTR",
        "550-5.7.26 This mail is unauthenticated", "550 5.7.509 Access denied, sending domain does not pass DMARC verification",
        "554 5.7.1 <client.example[192.0.2.1]>: Client host rejected: Access denied", "550 Sender verify failed",
        "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "550 Your account has been suspended for sending spam",
    ])
    func aRefusalOfUsPausesAndIsNobodysOwn(_ reply: String) throws {
        let code = try #require(Int(reply.prefix(3)))
        let decision = ResponseTable.standard.decide(
            .smtp, ResponseFacts(code: code, stage: .rcpt, text: String(reply.dropFirst(4))))
        #expect(decision.action == .pauseMailing && decision.subject == .unclear, "\(decision)")
        #expect(!decision.reason.consequence.suppresses)
        // Before a recipient is named it can be nobody's.
        let early = ResponseTable.standard.decide(
            .smtp, ResponseFacts(code: code, stage: .mail, text: String(reply.dropFirst(4))))
        #expect(early.action == .pauseMailing && early.subject == .everybody)
    }

    /// Limits of a connection, and what ends one.
    @Test(arguments: [
        "452 4.4.5 Maximum number of messages per session exceeded.", "452 4.5.3 Too many messages in this session",
        "452 4.5.3 Too many recipients in this session", "421 4.7.0 test.example.com Error: too many errors",
        "451 4.7.1 Too many messages on this connection", "421 Too many messages sent on this connection",
        "550 Too many messages per connection", "452 Too many recipients received this session", "421 too many unrecognized commands",
    ])
    func aLimitOfTheConnectionAsksForAnother(_ reply: String) throws {
        let code = try #require(Int(reply.prefix(3)))
        for stage in [DeliveryStage.mail, .rcpt, .data, .response] {
            let action = ResponseTable.standard.classify(.smtp, code: code, stage: stage, text: String(reply.dropFirst(4)))
            #expect(action == .reconnect)
        }
    }

    @Test func whatIsTheRecipientsOwnIsKnownByTextOrEnhancedCodeOnly() {
        func subject(_ code: Int, _ text: String) -> ResponseSubject {
            ResponseTable.standard.decide(.smtp, ResponseFacts(code: code, stage: .rcpt, text: text)).subject
        }
        for text in ["5.1.1 no", "User unknown", "5.2.1 The email account that you tried to reach is disabled", "Mailbox full"] {
            #expect(subject(550, text) == .recipient, "\(text)")
        }
        for (code, text) in [
            (550, ""), (551, ""), (553, "no"), (554, "Transaction failed"), (550, "5.7.1 no"), (550, "mailbox unavailable"),
        ] {
            #expect(subject(code, text) == .unclear, "\(code) \(text)")
        }
    }

    @Test func everyRuleDecidesForSomeReply() {
        let table = ResponseTable.standard
        for rule in table.rules(of: .smtp) {
            let codes = rule.condition.enhanced.map {
                EnhancedCode($0.category.lowerBound, $0.subject.lowerBound, $0.detail.lowerBound)
            }
            // The words of each pattern, so that none is shadowed as a whole by a rule before it.
            let said = rule.condition.texts.isEmpty ? ["no"] : rule.condition.texts.map { $0.description.replacing("*", with: " a ") }
            let besides = rule.condition.besides.first.map { " \($0)" } ?? ""
            let texts = (codes.isEmpty ? [""] : codes.map { "\($0) " }).flatMap { code in said.map { code + $0 + besides } }
            let decides = rule.condition.codes.contains { code in
                (rule.condition.stages.isEmpty ? DeliveryStage.allCases : rule.condition.stages).contains { stage in
                    texts.contains { table.decide(.smtp, ResponseFacts(code: code, stage: stage, text: $0)).rule == rule }
                }
            }
            #expect(decides, "\(rule.condition.codes) \(rule.because)")
        }
    }
}
