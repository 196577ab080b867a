import Model
import Planning
import Policy
import Synthetic
import TestServers
import Testing

/// What is refused, and what is excluded row by row.
extension RecipientPlannerTests {
    @Test(
        arguments: [
            ("id,email\n", "email", "has a header and no recipients"),
            (
                "id,e-mail,phone\n1,2,3\n", "email",
                "has no column 'email' for the recipients' address; did you mean 'e-mail'? (columns: id, e-mail, phone)"
            ),
            ("id,email,id\n1,2,3\n", "email", "column 'id': stands twice in the header, as columns 1 and 3"),
            ("id,phone\n1,3\n", "email", "has no column 'email' for the recipients' address (columns: id, phone)"),
            ("ID,email\n1,3\n", "email", "has no column 'id' for the recipients' id; did you mean 'ID'?"),
        ])
    func refusesAFileThatCannotBePlanned(_ text: String, _ address: String, _ part: String) {
        #expect { try RecipientPlanner(source: source(text, address: address), channel: .email) } throws: { error in
            #expect("\(error)".contains(part), "\(error)")
            return error is InputError
        }
    }

    @Test func aBadRowIsExcludedAndCostsNoOther() throws {
        let text = "id,email,name\n1,a@example.com,A\n2,b@example.com\n3,\"c@example.com,C\n4,d@example.com,D\n\u{1a}"
        var planner = try RecipientPlanner(source: source(text), channel: .email, bounds: .init(size: 2))
        let plan = try plan(&planner)
        #expect(plan.recipients.map { $0[0] } == ["1", "4"] && plan.rows == 4)
        #expect(plan.exclusions.map(\.reason) == [.invalidRow, .invalidRow] && plan.exclusions.map(\.row) == [2, 3])
        #expect(plan.exclusions.map(\.id) == ["2", "3"] && plan.exclusions.map(\.address) == ["b@example.com", ""])
        #expect(plan.exclusions[0].detail.hasPrefix("line 3: expected 3 fields, found 2"))
    }

    @Test func oneKeyForAllFormsOfAnAddress() throws {
        let text =
            "id,email\n1,user@bücher.example\n2,user@xn--bcher-kva.example\n3,user@bu\u{308}cher.EXAMPLE\n"
            + "4,User@BÜCHER.example\n5,<USER@ｂücher。example>\n"
            + "6,zoe\u{301}@example.com\n7,ZOÉ@example.com\n"
        var planner = try RecipientPlanner(source: source(text), channel: .email)
        let plan = try plan(&planner)
        #expect(plan.recipients == [["1", "user@bücher.example"], ["6", "zoé@example.com"]])
        #expect(plan.exclusions.allSatisfy { $0.reason == .duplicate } && plan.exclusions.count == 5)
    }

    @Test func aRowForWhichTheBodyIsNoJSONIsExcluded() throws {
        var mailing = Mailing(name: "x", channel: .webhook, provider: "http://a/", fields: ["id", "email", "age"])
        mailing.body = Mailing.Template(source: #"{"to":"{{email}}","age":{{age}}}"#, file: "b.json")
        let provider = try ProviderURL.parse("http://a/")
        let check = try #require(try BodyCheck(mailing, provider))
        var planner = try RecipientPlanner(
            source: source("id,email,age\n1,a,7\n2,b,\n3,c,x\n4,b,9\n"), channel: .webhook, excluding: .init(check: check))
        let plan = try plan(&planner)
        // Who was refused does not keep another row with the address from being planned.
        #expect(plan.recipients == [["1", "a", "7"], ["4", "b", "9"]])
        #expect(plan.exclusions.map(\.reason) == [.invalidBody, .invalidBody] && plan.exclusions.map(\.row) == [2, 3])
        #expect(plan.exclusions.allSatisfy { $0.detail.contains("the body is not JSON") && $0.detail.contains(#""age":"#) })
        var mail = Mailing(name: "x", channel: .email, provider: "smtp://a", fields: ["id", "email", "age"])
        mail.replyTo = "{{age}}@example.com"
        let replies = try #require(try BodyCheck(mail, provider))
        let text = "id,email,age\n1,a@example.org,7\n2,b@example.org,x y\n"
        var mails = try RecipientPlanner(source: source(text), channel: .email, excluding: .init(check: replies))
        let planned = try self.plan(&mails)
        #expect(planned.recipients.map(\.[0]) == ["1"] && planned.exclusions.map(\.reason) == [.invalidRow])
        #expect(planned.exclusions.first?.detail.hasPrefix("reply_to has no valid address") == true)
        // Values inside of strings cannot spoil it.
        var quoted = mailing
        quoted.body.source = #"{"to":"{{email}}","age":"{{#age}}{{age}} years{{/age}}"}"#
        #expect(try BodyCheck(quoted, provider) == nil)
    }

    @Test(
        arguments: [
            ("a@example.com", nil, ["a@example.com"]), ("<A@EXAMPLE.com>", nil, ["<A@EXAMPLE.com>", "A@example.com"]),
            ("a@xn--bcher-kva.example", nil, ["a@xn--bcher-kva.example", "a@bücher.example"]),
            ("a@bücher.example", nil, ["a@bücher.example", "a@xn--bcher-kva.example"]),
            ("0170 1234567", "DE", ["0170 1234567", "+491701234567"]), ("0170 1234567", nil, ["0170 1234567"]), ("4711", nil, ["4711"]),
        ] as [(String, String?, [String])])
    func anAddressIsFoundInAnyOfItsForms(_ text: String, _ country: String?, _ forms: [String]) {
        #expect(AddressForms.of(text, country: country) == forms)
    }
}
