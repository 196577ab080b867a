import Foundation
import TestServers
import Testing

/// A mailing of which the ledger has content for two channels. A mailing file has one yet.
@Suite(.timeLimit(.minutes(5)))
struct SeveralChannelsTests {
    @Test func eachBatchIsSentByItsChannelWithItsContent() async throws {
        let (mails, texts) = (try await RunningSink(), try await RunningSink("http"))
        let mailing = try MailingFolder(provider: mails.url, recipients: MailingFolder.recipients(1))
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        try #require(added.status == 0, "\(added.errors)")
        let content = """
            {"provider":"\(texts.url)","from":"Shop","replyTo":"","fields":["id","address"],"nestedFields":[],
            "subject":{"source":"","file":"","line":1},"html":{"source":"","file":"","line":1},
            "text":{"source":"A short text","file":"","line":1},"body":{"source":"","file":"","line":1}}
            """
        let shell = try ServerProcess(
            "sqlite3",
            [
                mailing.ledger,
                """
                UPDATE mailing SET state = 'sending', started = created, planned = created, planning_done = 1, planned_count = 3,
                    next_batch = 2, rows_read = 3, definition = json_set(definition, '$.version', 2, '$.contents.sms', json('\(content)'));
                INSERT INTO batch (mailing, number, count, recipients, channel) SELECT id, column1, column2, column3, column4
                    FROM mailing, (VALUES (0, 1, '[["1","ada@example.com","Ada","C1"]]', 'email'),
                        (1, 2, '[["2","+491701234567"],["3","+491701234568"]]', 'sms'));
                INSERT INTO fingerprint SELECT id, column1, zeroblob(column2) FROM mailing, (VALUES (0, 4), (1, 8));
                INSERT INTO progress (mailing, number, ready, open, states, attempts)
                    SELECT id, column1, 0, column2, column3, column4 FROM mailing, (VALUES (0, 1, 'p', '0'), (1, 2, 'pp', '00'));
                INSERT INTO counter SELECT id, 'planned', 3 FROM mailing;
                """,
            ], package: "sqlite3")
        try #require(shell.wait() == 0)
        let running = try RunningProgram(["up", "--ledger", mailing.ledger])
        try await eventually("it is sent: \(running.errors)") { try mailing.query("SELECT state FROM mailing") == ["sent"] }
        running.signal(SIGTERM)
        #expect(try await running.end() == 0, "\(running.errors)")
        try await mails.stop()
        try await texts.stop()
        #expect(try mails.arrived() == ["ada@example.com"] && Set(texts.arrived()) == ["+491701234567", "+491701234568"])
        #expect(try mailing.count("sent") == 3)
    }
}
