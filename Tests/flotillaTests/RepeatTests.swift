import Foundation
import TestServers
import Testing

/// What was sent is not sent again without a word.
@Suite(.timeLimit(.minutes(5))) struct RepeatTests {
    private func edit(_ mailing: MailingFolder, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: mailing.mailing, encoding: .utf8)
        try #require(text.contains(old))
        _ = try mailing.folder.write(text.replacing(old, with: new), to: "mailing.yaml")
    }

    @Test func anEditedMailingIsNotSentTwice() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5))
        #expect(try await mailing.send().status == 0)
        try edit(mailing, "20 % off", "30 % off")
        let refused = try await mailing.send(["--quiet"])
        #expect(refused.status == 6 && refused.errors.contains("5 recipients have had mailing"), "\(refused.errors)")
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(added.status == 6 && added.output.isEmpty && added.errors.contains("--only-new"), "\(added.errors)")
        #expect(added.errors.contains("order refused: an earlier mailing") && !added.errors.contains("carried out"), "\(added.errors)")
        let none = try await mailing.send(["--only-new"])
        #expect(none.status == 0 && none.output.contains("Nobody is new: 5 in the file have had it."), "\(none)")
        _ = try mailing.folder.write(MailingFolder.recipients(7) { $0 == 1 ? "PERSON1" : "person\($0)" }, to: "recipients.csv")
        #expect(try await mailing.send(["--only-new"]).status == 0)
        #expect(try sink.lines().count == 7)
        let again = try await mailing.send(["--again"])
        #expect(again.status == 0 && again.errors.contains("is sent again: 2 recipients have had mailing"), "\(again.errors)")
        try edit(mailing, "name: Test", "name: Test\nkey: next week")
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        #expect(try sink.arrived().count == 21)
    }

    @Test func oneThatHasNotEndedGoesOnAsItWas() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(200), extra: "speed: 40/s\nbatch_size: 50\n")
        let first = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("some have arrived") { try sink.lines().count > 10 }
        first.signal(SIGINT)
        #expect(try await first.end() == 2)
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(added.status == 6 && added.errors.contains("has not ended (sending)"), "\(added.errors)")
        try edit(mailing, "speed: 40/s", "speed: 1000/s")
        try edit(mailing, "20 % off", "30 % off")
        #expect(try await mailing.run("speed", "1000/s").status == 0)
        let second = try await mailing.send()
        #expect(second.status == 0 && second.errors.contains("What has changed since is not used: content, speed"), "\(second.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 200 && Set(sink.arrived()).count == 200)
    }

    @Test func aPersonsPauseIsNotLiftedBySend() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5), extra: "start: 2999-01-01T00:00:00Z\n")
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        let id = try await mailing.id()
        #expect(try await mailing.run("pause", "--actor", "Alice", "--reason", "wrong price").status == 0)
        for _ in 0..<2 {
            let held = try await mailing.send()
            #expect(held.status == 4 && held.errors.contains("paused by Alice: wrong price since 20"), "\(held.errors)")
            #expect(held.errors.contains("flotilla mailing resume \(id)"))
        }
        try await sink.stop()
        #expect(try sink.lines().isEmpty)
    }
}
