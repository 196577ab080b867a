import Foundation
import TestServers
import Testing

/// An older copy of the ledger that somebody puts in its place, where no Redis outlives `send`.
@Suite(.timeLimit(.minutes(5))) struct OlderCopyTests {
    private func replace(_ path: String, by other: String) throws {
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.copyItem(atPath: other, toPath: path)
    }

    @Test func nobodyWhoWasSentToSinceGetsTwo() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "batch_size: 100\nuncertain: hold\nspeed: 400/s\n")
        let copy = mailing.folder.path("copy.sqlite")
        for turn in 1...2 {
            let before = try sink.lines().count
            let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
            try await eventually("some have arrived: \(running.errors)") { try sink.lines().count > before + 200 }
            running.signal(SIGTERM)
            #expect(try await running.end() == 2, "\(running.errors)")
            if turn == 1 { try FileManager.default.copyItem(atPath: mailing.ledger, toPath: copy) }
        }
        #expect(!FileManager.default.fileExists(atPath: mailing.ledger + ".redis"))
        let beside = try FileManager.default.attributesOfItem(atPath: mailing.ledger + ".commits")
        #expect(beside[.posixPermissions] as? Int == 0o600)
        let known = Set(try sink.arrived())
        try replace(mailing.ledger, by: copy)
        let last = try await mailing.send()
        #expect(last.errors.contains("the ledger is an older copy of the one that was in use"), "\(last.errors)")
        try await sink.stop()
        let arrived = try sink.arrived()
        let listed = Set(try mailing.query("SELECT address FROM uncertain_delivery"))
        #expect(Set(arrived).count == arrived.count)
        #expect(known.isSubset(of: Set(try mailing.query("SELECT address FROM delivery WHERE state = 'sent'")).union(listed)))
        #expect(Set(arrived).union(listed).count == 2000)
    }

    @Test func afterARestoreNewMailingsAreSentAndThoseOfBeforeAreKnown() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5))
        let (other, new) = (
            try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(6)),
            try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(7))
        )
        let copy = mailing.folder.path("copy.sqlite")
        #expect(try await mailing.send().status == 0)
        #expect(try await Program.run(["ledger", "backup", copy, "--ledger", mailing.ledger]).status == 0)
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 0)
        let restored = try await Program.run(["ledger", "restore", copy, "--ledger", mailing.ledger])
        #expect(restored.status == 0 && restored.output.contains("1 mailing added after the copy was made is taken over"), "\(restored)")
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 6)
        let last = try await Program.run(["send", new.mailing, "--ledger", mailing.ledger])
        #expect(last.status == 0, "\(last.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 18)
    }

    @Test func aMailingThatTheCopyLacksIsNotSentWithoutAQuestion() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5))
        let other = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(7))
        let copy = mailing.folder.path("copy.sqlite")
        #expect(try await mailing.send().status == 0)
        try FileManager.default.copyItem(atPath: mailing.ledger, toPath: copy)
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 0)
        try replace(mailing.ledger, by: copy)
        for command in [["send"], ["send", "--only-new"], ["mailing", "add"]] {
            let refused = try await Program.run(command + [other.mailing, "--ledger", mailing.ledger])
            #expect(refused.status == 6 && refused.errors.contains("older copy"), "\(refused.errors)")
        }
        #expect(try sink.lines().count == 12)
        let third = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        for command in [["mailing", "add"], ["send", "--again"]] {
            #expect(try await Program.run(command + [third.mailing, "--ledger", mailing.ledger]).status == (command[0] == "send" ? 0 : 6))
        }
        #expect(try sink.lines().count == 15)
        // The copy is the ledger now, and what it lacks is known by the note beside it.
        for command in [["send"], ["send", "--only-new"], ["mailing", "add"]] {
            let refused = try await Program.run(command + [other.mailing, "--ledger", mailing.ledger])
            #expect(refused.status == 6 && refused.errors.contains("is not in this ledger"), "\(refused.errors)")
        }
        #expect(try await Program.run(["send", other.mailing, "--again", "--ledger", mailing.ledger]).status == 0)
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 6)
        #expect(try sink.lines().count == 22)
        // A note that cannot be read is none.
        _ = try mailing.folder.write("nonsense 99999999999999999999", to: (mailing.ledger as NSString).lastPathComponent + ".commits")
        #expect(try await mailing.send().status == 6)
        #expect(try await mailing.send(["--again"]).status == 0)
        try await sink.stop()
        #expect(try sink.arrived().count == 27)
    }

    /// The ledger cannot be read any more: people are told what is known besides.
    @Test func aDamagedLedgerIsReplacedOnlyWithForceAndWhatItHadIsAskedFor() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5))
        let other = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(7))
        let copy = mailing.folder.path("copy.sqlite")
        #expect(try await mailing.send().status == 0)
        #expect(try await Program.run(["ledger", "backup", copy, "--ledger", mailing.ledger]).status == 0)
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 0)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: mailing.ledger))
        let refused = try await Program.run(["ledger", "restore", copy, "--ledger", mailing.ledger])
        #expect(refused.status == 1 && refused.errors.contains("is damaged") && refused.errors.contains("--force"), "\(refused.errors)")
        let restored = try await Program.run(["ledger", "restore", copy, "--force", "--ledger", mailing.ledger])
        #expect(restored.status == 0 && restored.errors.contains("Added since the copy was made, and not in it"), "\(restored)")
        #expect(try await Program.run(["send", other.mailing, "--ledger", mailing.ledger]).status == 6)
        #expect(try await mailing.send().status == 6)
        try await sink.stop()
        #expect(try sink.arrived().count == 12)
    }
}
