import Foundation
import TestServers
import Testing

/// A mailing is sent again to those who failed, by a person's order. The sink's record is the judge.
@Suite(.timeLimit(.minutes(5)))
struct RetryCommandTests {
    /// Mailboxes that are full at first, and take the message later: nobody is sent to twice, and everybody once.
    @Test func whoseMailboxWasFullGetsItOnceAfterARetry() async throws {
        let fleet = try await Fleet(
            300, sink: ["--fail", "452=0.4;status=4.2.2;text=mailbox full,550=0.1"], extra: "batch_size: 50\nattempts: 1\n")
        try fleet.start("planner", "worker", "collector")
        try await fleet.state("sent")
        let first = Set(try fleet.sink.arrived())
        let dry = try await fleet.run("mailing", "retry", fleet.id, "--class", "full", "--dry-run")
        #expect(dry.status == 0 && dry.output.contains(" would be sent to again"), "\(dry)")
        let unasked = try await fleet.run("mailing", "retry", fleet.id, "--class", "full")
        #expect(unasked.status == 1 && unasked.errors.contains("add --yes"), "\(unasked)")
        var rounds = 0
        let (id, ledger) = (fleet.id, fleet.mailing.ledger)
        while true {
            // Two persons at the same moment.
            async let bob = Program.run(
                ["mailing", "retry", id, "--class", "full,greylisted", "--yes", "--actor", "bob", "--ledger", ledger])
            let ann = try await fleet.run("mailing", "retry", fleet.id, "--class", "full", "--since", "1h", "--yes", "--actor", "ann")
            let both = [ann, try await bob]
            #expect(both.allSatisfy { $0.status == 0 || $0.status == 5 }, "\(both)")
            guard both.contains(where: { $0.status == 0 }) else { break }
            rounds += 1
            try #require(rounds < 30)
            try await fleet.state("sent")
        }
        #expect(rounds > 1)
        let none = try await fleet.run("mailing", "retry", fleet.id, "--class", "full", "--yes")
        #expect(none.status == 5 && none.output.contains("nobody failed in this way"), "\(none)")
        let (sent, failed) = (try fleet.mailing.count("sent"), try fleet.mailing.count("failed"))
        #expect(sent + failed == 300 && failed > 0)
        let report = try await fleet.run("mailing", "report", fleet.id)
        #expect(report.status == 0 && report.output.contains("Rounds:"), "\(report)")
        #expect(try await fleet.run("mailing", "show", fleet.id).output.contains("sent to again"))
        #expect(try await fleet.run("audit", "--mailing", fleet.id).output.contains("retry_failed"))
        #expect(try await fleet.run("ledger", "check").status == 0)
        try await fleet.endAll()
        let arrived = try fleet.sink.arrived()
        #expect(try fleet.doubled().isEmpty)
        #expect(arrived.count == sent && Set(arrived).isSuperset(of: first) && arrived.count > first.count)
    }

    @Test func whatDoesNotFitIsRefused() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(4))
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        try #require(added.status == 0, "\(added.errors)")
        let id = try await mailing.id()
        func run(_ arguments: String...) async throws -> Program.Outcome {
            try await Program.run(["mailing", "retry", id] + arguments + ["--ledger", mailing.ledger])
        }
        let unknown = try await run("--class", "ful", "--yes")
        #expect(unknown.status == 64 && unknown.errors.contains("did you mean full?") && unknown.errors.contains("greylisted"))
        for wrong in [[], ["--class", ""], ["--code", "52"], ["--class", "full", "--since", "tomorrow"], ["--class", "accepted"]] {
            let outcome = try await Program.run(["mailing", "retry", id, "--yes", "--ledger", mailing.ledger] + wrong)
            #expect(outcome.status == 64, "\(wrong): \(outcome)")
        }
        let backwards = try await run("--class", "full", "--since", "1h", "--until", "2h", "--yes")
        #expect(backwards.status == 1 && backwards.errors.contains("ends before it begins"))
        let provider = try await run("--class", "full", "--provider", "nobody", "--yes")
        #expect(provider.status == 1 && provider.errors.contains("no provider 'nobody'"))
        #expect(try await run("--class", "full", "--yes").status == 5)
        #expect(try await run("--class", "full").status == 5)
        let json = try await run("--class", "full", "--dry-run", "--output", "json")
        #expect(json.status == 5 && json.output.contains("\"recipients\" : 0"), "\(json)")
        #expect(try await Program.run(["mailing", "stop", id, "--ledger", mailing.ledger]).status == 0)
        let stopped = try await run("--class", "full", "--yes")
        #expect(stopped.status == 1 && stopped.errors.contains("--only-new"), "\(stopped)")
    }
}
