import Foundation
import TestServers
import Testing

/// A person over all mailings: found by a provider's message id, and erased.
@Suite(.timeLimit(.minutes(5))) struct RecipientCommandTests {
    private func object(_ text: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// What every engine does, on a ledger with one mailing that was sent to person0 to person3 and one that waits.
    private func eraseAndFind(_ run: ([String]) async throws -> Program.Outcome) async throws {
        let listed = try await run(["mailing", "list"]).output
        let id = try #require(listed.split(separator: "\n").last?.split(separator: " ").first.map(String.init))
        let shown = try object(try await run(["mailing", "recipient", id, "person1@example.com", "--output", "json"]).output)
        let message = try #require(shown["provider_message_id"] as? String)
        let provider = try #require((shown["history"] as? [[String: Any]])?.first?["provider"] as? String)
        for through in [[], ["--provider", provider]] {
            let found = try await run(["recipient", "find", "--message-id", message, "--output", "json"] + through)
            #expect(found.status == 0 && found.output.contains("person1@example.com") && !found.output.contains("person2@"), "\(found)")
        }
        #expect(try await run(["recipient", "find", "--message-id", message]).output.contains("person1@example.com"))
        let none = try await run(["recipient", "find", "--message-id", message, "--provider", "smtp://other:25"])
        #expect(none.status == 0 && none.output == "no message through smtp://other:25 has the id '\(message)'\n", "\(none)")
        // A name that nobody knows is an error, and not an answer.
        for form in [[], ["--output", "json"]] {
            let unknown = try await run(["recipient", "find", "--message-id", message, "--provider", "nope"] + form)
            #expect(unknown.status == 1 && unknown.output.isEmpty && unknown.errors.contains("no provider 'nope'"), "\(unknown)")
        }

        // Without a terminal nobody is asked.
        let asked = try await run(["recipient", "erase", "person1@example.com"])
        #expect(asked.status == 1 && asked.errors.contains("add --yes") && asked.output.isEmpty, "\(asked)")
        #expect(try await run(["suppressions", "add", "person1@example.com", "person2@example.com"]).status == 0)
        let erased = try await run(["recipient", "erase", "Person 1 <PERSON1@Example.com>", "--yes", "--actor", "ann", "--output", "json"])
        let answer = try object(erased.output)
        #expect(erased.status == 0 && answer["recipients"] as? Int == 1 && answer["suppressions_left"] as? Int == 1, "\(erased)")
        #expect(erased.errors.contains("1 suppression of the address stays"), "\(erased)")
        #expect(try await run(["mailing", "history", "person1@example.com"]).output == "nothing was sent to this address\n")
        #expect(try await run(["recipient", "find", "--message-id", message]).output.contains("(id 1, batch"), "\(message)")
        let second = try await run(["recipient", "erase", "person2@example.com", "--yes", "--with-suppressions"])
        #expect(second.status == 0 && second.output == "erased: 1 recipient, 1 suppression\n", "\(second)")
        let nobody = try await run(["recipient", "erase", "nobody@example.com", "--yes"])
        #expect(nobody.status == 0 && nobody.output.hasPrefix("nothing to erase"), "\(nobody)")
        let audit = try await run(["audit"]).output
        #expect(audit.split(separator: "\n").filter { $0.contains("erase ledger") }.count == 2, "\(audit)")
        #expect(audit.contains("ann  erase ledger") && !audit.contains("person1@"), "\(audit)")
        let check = try await run(["ledger", "check"])
        #expect(check.status == 0, "\(check)")
    }

    @Test func aPersonIsFoundAndErased() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(4))
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        try await eraseAndFind { try await Program.run($0 + ["--ledger", mailing.ledger]) }
        #expect(try String(contentsOfFile: mailing.ledger, encoding: .isoLatin1).contains("person3@example.com"))
        #expect(try !String(contentsOfFile: mailing.ledger, encoding: .isoLatin1).contains("person2@example.com"))

        // Who is still to be sent to stays, and is named.
        let waiting = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(4))
        let added = try await Program.run(["mailing", "add", waiting.mailing, "--ledger", mailing.ledger])
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let unplanned = try await Program.run(["recipient", "erase", "person3@example.com", "--yes", "--ledger", mailing.ledger])
        #expect(unplanned.status == 0 && unplanned.errors.contains("not planned yet: \(id)"), "\(unplanned)")
    }

    @Test func aPersonIsFoundAndErasedInPostgreSQL() async throws {
        let (sink, state) = (try await RunningSink(), try TemporaryFolder())
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(4))
        let environment = ["FLOTILLA_LEDGER_URL": try await PostgreSQLServer.shared.database(), "XDG_STATE_HOME": state.path]
        #expect(try await Program.run(["send", mailing.mailing], environment: environment).status == 0)
        try await sink.stop()
        try await eraseAndFind { try await Program.run($0, environment: environment) }
    }

    @Test func whoIsStillToBeSentToStaysAndIsNamed() async throws {
        let sink = try await RunningSink()
        // The first one is sent to, the others wait.
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3), extra: "speed: 1/min\n")
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger, "--quiet"])
        try await eventually("they are planned: \(running.errors)") { try mailing.query("SELECT count(*) FROM delivery") == ["3"] }
        running.signal(SIGINT)
        _ = try await running.end()
        let id = try await mailing.id()
        let erase = ["recipient", "erase", "person2@example.com", "--yes", "--ledger", mailing.ledger]
        let kept = try await Program.run(erase)
        #expect(kept.status == 1 && kept.errors.contains("not erased: mailing \(id) 'Test' is still to be sent to"), "\(kept)")
        #expect(kept.errors.contains("flotilla mailing stop \(id) --ledger \(mailing.ledger)"), "\(kept)")
        #expect(try await mailing.run("stop", "--yes").status == 0)
        let erased = try await Program.run(erase)
        #expect(erased.status == 0 && erased.output == "erased: 1 recipient\n", "\(erased)")
        try await sink.stop()
    }
}
