import Model
import Testing

@Suite struct AuditedObjectTests {
    @Test func textsAreReadAsTheyWereWritten() throws {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: 1, using: &generator)
        let objects: [AuditedObject] = [
            .mailing(id), .limit(.known(.channel(.sms))), .limit(.known(.provider("main"))), .deadLetters([7]), .deadLetters([7, 77]),
            .allDeadLetters, .ledger, .suppressions, .suppression(.email, "d***@x.com"),
            .categories("news,offers"),
        ]
        #expect(objects.map { AuditedObject($0.description) } == objects)
        #expect(
            objects.map(\.description) == [
                "mailing:\(id)", "channel:sms", "provider:main", "dead:7", "dead:7,77", "dead:all", "ledger", "suppressions",
                "suppression:email:d***@x.com", "category:news,offers",
            ])
    }

    @Test(arguments: [
        "", ":", "planet:earth", "dead:", "dead:x", "dead:1,", "mailing:", "ledger:", "suppression:", "suppression:fax:a", "channel:fax",
    ])
    func whatIsNotKnownKeepsItsText(text: String) {
        let object = AuditedObject(text)
        #expect(object == .limit(.unknown(text)) && object.description == text)
        #expect(StoredScope(text).scope == nil)
    }
}
