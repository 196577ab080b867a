import Foundation
import TestServers
import Testing

/// Which rows of a file are not sent to, and why.
@Suite struct ExcludedCommandTests {
    private static let recipients = """
        id,email,first_name,code
        7,ada@example.com,Ada,1
        8,ADA@example.com,Ada,2
        7,bob@example.com,Bob,3
        9,,Cy,4
        10,two@@example.com,Dee,5

        """

    private func sent() async throws -> (MailingFolder, Program.Outcome) {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: Self.recipients)
        let sent = try await mailing.send()
        try await sink.stop()
        try #require(sent.status == 0, "\(sent.errors)")
        return (mailing, sent)
    }

    @Test func eachRowIsListedWithItsReason() async throws {
        let (mailing, sent) = try await sent()
        let id = try await mailing.id()
        #expect(sent.output.contains("flotilla mailing excluded \(id)"), "\(sent.output)")
        let list = try await mailing.run("excluded")
        let lines = list.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(list.output.contains("recipients.csv") && lines.count == 5, "\(list)")
        #expect(
            lines.suffix(3).map { $0.prefix(3) } == [["2", "duplicate", "8"], ["4", "no_address", "9"], ["5", "invalid_address", "10"]])
        #expect(lines[2].suffix(5) == ["the", "address", "of", "row", "1"])

        let json = try await mailing.run("excluded", "--output", "json", "--reason", "duplicate")
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["row"] as? Int == 2 && object?["address"] as? String == "ADA@example.com")
        #expect((object?["file"] as? String)?.hasSuffix("recipients.csv") == true && object?["detail"] as? String == "the address of row 1")
    }

    /// The judge is the CSV reader of Python.
    @Test func aSpreadsheetReadsTheList() async throws {
        let sink = try await RunningSink()
        let rows = "id,email,first_name,code\n\"a,\"\"b\"\"\",two@@example.com,A,1\n2,\"x\ny@example.com\",B,2\n3,ok@example.com,C,3\n"
        let mailing = try MailingFolder(provider: sink.url, recipients: rows)
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        let list = try await mailing.run("excluded", "--output", "csv")
        let file = try mailing.folder.write(list.output, to: "excluded.csv")
        let script = "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1])))))"
        let reader = try RunningProgram(shell: "python3 -c '\(script)' '\(file)'")
        #expect(try await reader.end() == 0)
        let read = try JSONSerialization.jsonObject(with: Data(reader.output.utf8)) as? [[String]] ?? []
        #expect(
            read.map { $0.prefix(4) } == [
                ["row", "reason", "id", "address"], ["1", "invalid_address", "a,\"b\"", "two@@example.com"],
                ["2", "invalid_address", "2", "x\\ny@example.com"],
            ], "\(list.output)")
    }

    /// What somebody wrote into an address is no formula where a person opens the list.
    @Test func aSpreadsheetCalculatesNothingOfTheList() async throws {
        let sink = try await RunningSink()
        let rows = "id,email,first_name,code\n=1+1,@x,A,1\n2,\"=HYPERLINK(\"\"http://x\"\")\",B,2\n3,ok@example.com,C,3\n"
        let mailing = try MailingFolder(provider: sink.url, recipients: rows)
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        let list = try await mailing.run("excluded", "--output", "csv")
        #expect(list.output.contains("1,invalid_address,'=1+1,'@x,") && list.output.contains(#""'=HYPERLINK(""http://x"")""#), "\(list)")
        let raw = try await mailing.run("excluded", "--output", "csv", "--raw")
        #expect(raw.output.contains("1,invalid_address,=1+1,@x,") && raw.output.contains(#","=HYPERLINK("#), "\(raw)")
        #expect(try await mailing.run("excluded", "--raw").status == 64)
    }

    @Test func aPageEndsWithTheCommandOfTheNext() async throws {
        let (mailing, _) = try await sent()
        let id = try await mailing.id()
        let page = try await mailing.run("excluded", "--limit", "2")
        #expect(page.output.contains("more: flotilla mailing excluded \(id) --after 4 --limit 2"), "\(page.output)")
        let last = try await mailing.run("excluded", "--limit", "2", "--after", "4")
        #expect(last.output.contains("invalid_address") && !last.output.contains("more:"), "\(last.output)")
        #expect(try await mailing.run("excluded", "--reason", "too_large").output == "no rows are excluded as too_large\n")
        #expect(try await mailing.run("excluded", "--reason", "nonsense").status == 64)
    }

    @Test func aRecipientThatIsExcludedOrSharesItsIDIsTold() async throws {
        let (mailing, _) = try await sent()
        let excluded = try await mailing.run("recipient", "two@@example.com")
        #expect(excluded.status == 1 && excluded.errors.contains("row 5") && excluded.errors.contains("invalid_address"), "\(excluded)")
        let shared = try await mailing.run("recipient", "7")
        #expect(shared.output.contains("ada@example.com") && shared.errors.contains("also of bob@example.com"), "\(shared)")
        #expect(shared.output.contains("sent, 1 attempt\n"), "\(shared.output)")
        let json = try await mailing.run("recipient", "7", "--output", "json")
        #expect(json.output.contains("\"same_id\""))
        #expect(try await mailing.run("recipient", "bob@example.com").errors.isEmpty)
    }
}
