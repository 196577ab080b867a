import Model
import Testing

@testable import Policy

@Suite struct RefusalTextTests {
    private static let parties = MessageParties(sender: "news@example.com", recipient: "bob@example.org", hostname: "shop.example.com")

    private func decide(
        _ code: Int, _ text: String, _ stage: DeliveryStage = .rcpt, _ parties: MessageParties = Self.parties
    ) -> ResponseTable.Decision {
        ResponseTable.standard.decide(.smtp, ResponseFacts(code: code, stage: stage, text: text, parties: parties))
    }

    /// A recipient's word in a refusal of us burns no list, and keeps nobody from later mailings.
    @Test func noRefusalOfUsIsTakenForTheRecipientsOwn() {
        for row in RefusalTexts.ofUs {
            for text in [row.text, row.bare] {
                for stage in [DeliveryStage.rcpt, .data, .response] {
                    let decision = decide(row.code, text, stage)
                    #expect(decision.subject != .recipient && !decision.suppresses, "\(row.code) \(text) at \(stage): \(decision.reason)")
                }
            }
        }
        #expect(RefusalTexts.ofUs.count >= 120)
    }

    @Test func plainWordsOfARefusalOfUsPauseOrSlowDown() {
        for row in RefusalTexts.ofUsForEverybody {
            let decision = decide(row.code, row.text)
            #expect(
                [.pauseMailing, .slowDown].contains(decision.action) && decision.subject != .recipient,
                "\(row.code) \(row.text): \(decision.reason), \(decision.action)")
        }
    }

    /// A gateway speaks for itself alone: what it says of our side pauses the mailing when it says so of ten.
    @Test(arguments: [
        (400, "The 'From' phone number +15005550006 is not valid for your account", true), (400, "Unknown sender SHOP", true),
        (400, "(#132001) Template name does not exist in the translation", true), (422, "the sender is not registered here", true),
        (404, "Unknown user: check username and password", true), (400, "Recipient phone number not in the list of the sandbox", false),
        (400, "message is empty", false),
    ])
    func whatAGatewaySaysOfOurSideIsEverybodys(_ status: Int, _ text: String, _ isOfUs: Bool) {
        let decision = ResponseTable.standard.decide(.http, ResponseFacts(code: status, text: text))
        #expect(decision.action == (isOfUs ? .pauseMailing : .fail) && decision.subject == .unclear, "\(text): \(decision)")
    }

    @Test func whatIsTheRecipientsOwnStaysCertain() {
        for row in RefusalTexts.ofRecipients {
            for text in [row.text, row.bare] { #expect(decide(row.code, text).subject == .recipient, "\(row.code) \(text)") }
        }
        for row in RefusalTexts.ofRecipientsByCode { #expect(decide(row.code, row.text).subject == .recipient, "\(row.text)") }
        #expect(RefusalTexts.ofRecipients.count >= 80)
    }

    /// Who else is named by the way does not matter.
    @Test func ofTextsThatNameBothSidesTheOneThatIsRefusedCounts() {
        for row in BothSidedTexts.ofRecipients {
            let decision = decide(row.code, row.text)
            #expect(
                decision.subject == .recipient && decision.reason.consequence.isRecipients,
                "\(row.code) \(row.text): \(decision.reason), \(decision.subject), \(decision.rule?.because ?? "")")
        }
        for row in BothSidedTexts.ofUs {
            for text in [row.text, row.bare] {
                let decision = decide(row.code, text)
                #expect(decision.subject != .recipient && !decision.suppresses, "\(row.code) \(text): \(decision.reason)")
            }
        }
        for row in BothSidedTexts.ofNobody {
            let decision = decide(row.code, row.text)
            #expect(
                decision.subject == .unclear && decision.action == .fail && !decision.suppresses,
                "\(row.code) \(row.text): \(decision.reason), \(decision.action)")
        }
        #expect(BothSidedTexts.ofRecipients.count >= 40 && BothSidedTexts.ofUs.count >= 40)
    }

    /// The time to read a text is bounded whatever it holds.
    @Test(arguments: ["(", ")", "a@b ", "http://x ", "=", ".", "... ", "<>", "- ", "a, ", "é(", "\u{0}"])
    func anyTextIsRead(_ piece: String) {
        let text = String(repeating: piece, count: 500 / piece.utf8.count)
        #expect(decide(550, "5.1.1 user unknown " + text).reason != .accepted)
        #expect(decide(550, text).subject == .unclear)
    }

    /// Our own names in a text are those of the message, and of a mailing to one's own house nobody's.
    @Test(arguments: [
        ("5.1.1 <news@example.com>: User unknown", false), ("5.1.1 <NEWS@Example.COM>: User unknown", false),
        ("5.1.1 <bob@example.org>: User unknown", true), ("5.1.2 example.com: host unknown", false),
        ("5.1.2 example.org: host unknown", true), ("5.1.1 User unknown at shop.example.com.", false),
        ("5.1.1 User unknown, see https://sender.example/sending", true), ("5.1.1 sender-list@example.org: User unknown", true),
    ]) func namesInATextTellTheSides(_ text: String, _ isRecipients: Bool) {
        #expect((decide(550, text).subject == .recipient) == isRecipients)
        let home = MessageParties(sender: "news@example.org", recipient: "bob@example.org", hostname: "shop.example.org")
        #expect(decide(550, "5.1.1 <bob@example.org>: User unknown in example.org", .rcpt, home).subject == .recipient)
        #expect(decide(550, "5.1.1 <news@example.org>: User unknown", .rcpt, home).subject == .unclear)
    }

    /// Accounts, hosts and quotas may be ours, too.
    @Test(arguments: ["account disabled", "unknown host", "domain not found", "not a registered address", "over quota"])
    func aVagueWordNeedsTheRecipientBesideIt(_ text: String) {
        #expect(decide(550, text).subject == .unclear && !decide(550, text).suppresses)
        #expect(decide(550, "recipient: \(text)").subject == .recipient)
        #expect(decide(550, "<bob@example.org>: \(text)").subject == .recipient)
    }

    @Test func whatIsVagueNeverSuppresses() {
        for text in ["Requested action not taken: mailbox unavailable", "5.4.1 Recipient address rejected: Access denied"] {
            #expect(decide(550, text).reason == .unknownUser && !decide(550, text).suppresses)
        }
        #expect(decide(550, "5.1.1 User unknown").suppresses)
    }

    /// Who we are, and that we have to log in, is no limit of the connection.
    @Test(arguments: [
        "554 5.7.1 This connection is not authorised to relay", "530 5.7.0 Authentication is required for this session",
        "550 5.7.1 Relaying not allowed on this connection", "550 5.7.1 Too many errors: your host is blacklisted",
        "554 Relay access denied for this connection", "550 5.7.1 Too many invalid recipients, your IP is blocked",
    ]) func aRefusalOfUsThatSpeaksOfTheConnectionAsksForNoOther(_ reply: String) throws {
        let code = try #require(Int(reply.prefix(3)))
        let decision = decide(code, String(reply.dropFirst(4)))
        #expect(decision.action == .pauseMailing && decision.subject == .unclear)
    }

    @Test(arguments: [
        (400, "Sender phone number not registered", false), (400, "template not registered", false),
        (400, "invalid number of parameters", false), (400, "Invalid user credentials", false), (404, "user not found", false),
        (400, "Your sender name does not exist", false), (422, "Account not registered for this channel", false),
        (400, "Template with this number does not exist", false), (400, "invalid number", false),
        (400, "Invalid phone number", true), (400, "Bad Request: chat not found", true), (404, "Recipient not found", true),
        (400, "The 'To' number +4915 is not a valid phone number.", true), (410, "NotRegistered", true), (410, "BadDeviceToken", true),
        (400, "The registration token is not registered", true), (400, "Invalid recipient", true),
        (400, "phone number is invalid: invalid number", true),
        (404, "mobile user not found", true),
    ]) func wordsOfGatewaysAreTheRecipientsWhereTheySaySo(_ status: Int, _ text: String, _ isRecipients: Bool) {
        let decision = ResponseTable.standard.decide(.http, ResponseFacts(code: status, text: text))
        #expect((decision.subject == .recipient) == isRecipients, "\(text): \(decision)")
        #expect(decision.suppresses == isRecipients)
    }
}
