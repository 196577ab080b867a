import Foundation
import TestServers
import Testing

/// The list of those whom a message may have reached that no response tells of, and what a person decides about them.
@Suite(.timeLimit(.minutes(5)))
struct UncertainCommandTests {
    /// A mailing of four that is being sent: 0 and 1 are held, 2 was sent to again and got it, 3 failed.
    private func mailing() async throws -> MailingFolder {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(4))
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        try #require(added.status == 0, "\(added.errors)")
        let now = Int(Date().timeIntervalSince1970) * 1000
        let rows = (0..<4).map { #"["\#($0)","person\#($0)@example.com","Zoë","C\#($0)"]"# }.joined(separator: ",")
        let shell = try ServerProcess(
            "sqlite3",
            [
                mailing.ledger,
                """
                UPDATE mailing SET state = 'sending', started = \(now), planned = \(now), planning_done = 1, planned_count = 4,
                    next_batch = 1, rows_read = 4;
                INSERT INTO batch (mailing, number, count, recipients) SELECT id, 0, 4, '[\(rows)]' FROM mailing;
                INSERT INTO fingerprint SELECT id, 0, zeroblob(16) FROM mailing;
                INSERT INTO progress (mailing, number, dispatch, open, states, attempts)
                    SELECT id, 0, 1, 2, 'uusf', '1111' FROM mailing;
                INSERT INTO counter SELECT id, column1, column2 FROM mailing, (VALUES ('uncertain', 2), ('sent', 1), ('failed', 1));
                INSERT INTO timeline SELECT id, 1700000000, 1, 1, 0, 0, 0, 0 FROM mailing;
                INSERT INTO failure (mailing, class, code, text, n) SELECT id, 'rejected', 550, 'no', 1 FROM mailing;
                INSERT INTO uncertain SELECT id, 0, column1, 1, column2, 'w1', 1700000000000, column3, NULL, NULL, 0
                    FROM mailing, (VALUES (0, 1, 'w0 died'), (1, 1, 'w0 ' || char(27) || '[2Jdied'), (2, 0, 'w0 died'));
                """,
            ], package: "sqlite3")
        try #require(shell.wait() == 0)
        return mailing
    }

    private func run(_ mailing: MailingFolder, _ arguments: [String]) async throws -> Program.Outcome {
        try await Program.run(["mailing"] + arguments + ["--ledger", mailing.ledger])
    }

    @Test func listsWhoAndWhy() async throws {
        let mailing = try await mailing()
        let id = try await mailing.id()
        let list = try await run(mailing, ["uncertain", id])
        let lines = list.output.split(separator: "\n").map(String.init)
        try #require(list.status == 0 && lines.count == 5, "\(list.output) \(list.errors)")
        #expect(lines[0].hasPrefix("RECIPIENT  ADDRESS"))
        #expect(lines[1].hasPrefix("0          person0@example.com  2023-11-14T22:13:20.000Z  uncertain  w0 died"))
        #expect(lines[3].contains("person2@example.com") && lines[3].contains("  sent  "))
        #expect(!list.output.contains("\u{1b}"))
        #expect(lines[4].hasPrefix("2 held: decide with"))
        #expect(try await run(mailing, ["uncertain", id, "--limit", "1"]).output.contains("person1") == false)
        let json = try await run(mailing, ["uncertain", id, "--json", "--held"]).output.split(separator: "\n")
        try #require(json.count == 2)
        let row = try #require(try JSONSerialization.jsonObject(with: Data(json[0].utf8)) as? [String: Any])
        #expect(row["recipient"] as? String == "0" && row["state"] as? String == "uncertain" && row["held"] as? Bool == true)
        let report = try await run(mailing, ["report", id])
        #expect(report.status == 0, "\(report.errors)")
        #expect(
            report.output.contains("2 held until you decide: flotilla mailing uncertain \(id)"), "\(report.output)")
    }

    @Test func decidesAndSaysWhatHappensNext() async throws {
        let mailing = try await mailing()
        let id = try await mailing.id()
        let wrong = try await run(
            mailing,
            ["uncertain", id, "--resend", "--recipient", "0", "--recipient", "3", "--recipient", "nobody"])
        #expect(wrong.status == 1 && wrong.output.contains("1 recipient planned again; 1 still held"), "\(wrong.output)")
        #expect(wrong.output.contains("a running planner and worker"))
        #expect(wrong.errors.contains("'3' is not held: it is failed") && wrong.errors.contains("no recipient 'nobody'"))
        let rest = try await run(mailing, ["uncertain", id, "--settle", "sent", "--all"])
        #expect(rest.status == 0 && rest.output.contains("1 recipient settled as sent; 0 still held"), "\(rest.output)")
        #expect(try await run(mailing, ["uncertain", id, "--held"]).output == "no held recipients\n")
        #expect(try await run(mailing, ["report", id]).status == 0)
        #expect(try mailing.count("planned") == 1 && mailing.count("sent") == 2)
        #expect(try await run(mailing, ["recipient", id, "0"]).output.contains("resent by a person's decision"))
        _ = try await run(mailing, ["stop", id])
        let late = try await run(mailing, ["uncertain", id, "--resend", "--all"])
        #expect(late.status == 1 && late.errors.contains("is stopped and sends nothing any more"), "\(late.errors)")
    }

    @Test(arguments: [
        ["--all"], ["--recipient", "0"], ["--resend"], ["--settle", "sent"], ["--resend", "--settle", "sent", "--all"],
        ["--resend", "--all", "--recipient", "0"], ["--resend", "--all", "--json"], ["--limit", "0"], ["--settle", "gone", "--all"],
        ["--resend", "--settle", "sent"],
    ])
    func halfADecisionIsRefused(arguments: [String]) async throws {
        let outcome = try await Program.run(["mailing", "uncertain", "x"] + arguments)
        #expect(outcome.status == 64, "\(outcome.output) \(outcome.errors)")
    }
}
