import Foundation
import TestServers
import Testing

/// Whole mailings through the executable, with the receiving side's own record of what arrived.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SendTests {
    @Test func everyRecipientArrivesOnceAtAServerThatWeDidNotWrite() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let dump = folder.path("dump")
        let user = getuid() == 0 ? ["-u", "nobody"] : []
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path)
        let sink = try ServerProcess(
            "smtp-sink", user + ["-D", dump, "127.0.0.1:\(port)", "100"], package: "postfix")
        try await eventually("smtp-sink listens") { canConnect(port) }
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)", recipients: MailingFolder.recipients(1200))
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors)")
        sink.stop(SIGTERM)
        let arrived = try String(contentsOfFile: dump, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("X-Rcpt-Args: ") }
            .map { $0.dropFirst("X-Rcpt-Args: ".count).prefix { $0 != ">" } }
        #expect(arrived.count == 1200)
        #expect(Set(arrived) == Set((0..<1200).map { "<person\($0)@example.com" }))
        #expect(try mailing.states()["sent"] == 1200)
        #expect(try mailing.count("sent") == 1200)
        #expect(outcome.output.contains("reconciled"))
    }

    @Test func excludedRowsAreReportedWithTheirReason() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url,
            recipients: "id,email,first_name,code\n1,a@example.com,A,1\n2,not an address,B,2\n3,,C,3\n4,A@EXAMPLE.com,D,4\n")
        #expect(try await mailing.send().status == 0)
        let report = try mailing.readReport()
        #expect(report["planned"] as? Int == 1)
        #expect(
            (report["excluded"] as? [String: Int])?.filter { $0.value > 0 }
                == ["invalid_address": 1, "no_address": 1, "duplicate": 1])
        for key in ["states", "failures", "started", "finished", "seconds", "messages_per_second"] {
            #expect(report[key] != nil, "\(key)")
        }
        try await sink.stop()
        #expect(try sink.arrived() == ["a@example.com"])
    }

    @Test func temporaryFailuresAreTriedAgainAndPermanentOnesAreFinal() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url,
            recipients: MailingFolder.recipients(60) { number in
                switch number % 6 {
                case 0: "bounce\(number)"
                case 1: "defer2.\(number)"
                default: "person\(number)"
                }
            })
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try mailing.states().filter { $0.value > 0 } == ["sent": 50, "failed": 10])
        try await sink.stop()
        let arrived = try sink.arrived()
        #expect(arrived.count == 50 && Set(arrived).count == 50)
        let tries = Dictionary(grouping: try sink.lines(), by: { $0[3] }).mapValues(\.count)
        #expect(tries["bounce0@example.com"] == 1)
        #expect(tries["defer2.1@example.com"] == 3)
        let failures = try mailing.readReport()["failures"] as? [String: Any]
        #expect((failures?["reasons"] as? [String: Int])?["unknown_user"] == 10)
        let shown = try await Program.run(["mailing", "recipient", "--ledger", mailing.ledger, await mailing.id(), "defer2.1@example.com"])
        #expect(shown.output.contains("sent, 3 attempts"))
    }

    @Test func aRelayThatRefusesEverybodyPausesTheMailingAndSpendsNobody() async throws {
        let sink = try await RunningSink("smtp", ["--fail", "554=1"])
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(60), extra: "attempts: 1\n")
        let outcome = try await mailing.send(["--quiet"])
        #expect(outcome.status == 4 && outcome.errors.contains("refuses everybody") && outcome.errors.contains("554"))
        let states = try mailing.states()
        #expect(states["failed"] == 0 && (states["deferred"] ?? 0) >= 10)
        #expect(try mailing.readReport()["state"] as? String == "paused")
        try await sink.stop()
    }

    /// Ten of ten unknown: the list, the provider or our sender may be wrong, whatever the answer says.
    @Test func aMailingOfWhichEverybodyIsUnknownIsPausedAfterTheFirstTen() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(60) { "bounce\($0)" })
        let outcome = try await mailing.send(["--quiet"])
        #expect(outcome.status == 4 && outcome.errors.contains("refuses everybody") && outcome.errors.contains("550"))
        #expect(try mailing.states()["failed"] == 10)
        try await sink.stop()
    }

    @Test func aMailingToNobodyIsNoSuccess() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: "id,email,first_name,code\n1,no address,A,1\n2,,B,2\n")
        let outcome = try await mailing.send(["--quiet"])
        #expect(outcome.status == 5 && outcome.errors.contains("nobody was sent to"))
        #expect(try mailing.readReport()["state"] as? String == "failed")
        let bounced = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3) { "bounce\($0)" })
        #expect(try await bounced.send().status == 5)
        #expect(try bounced.states()["failed"] == 3)
        try await sink.stop()
    }

    @Test func attemptsHaveALimit() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(6) { $0 == 0 ? "person" : "defer9.\($0)" }, extra: "attempts: 2\n")
        #expect(try await mailing.send().status == 0)
        #expect(try mailing.states()["failed"] == 5)
        try await sink.stop()
        #expect(try sink.lines().count == 11)
    }

    @Test func aLifetimeEndsRetries() async throws {
        let sink = try await RunningSink("smtp", ["--fail", "450=1"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(5), extra: "attempts: 100\nlifetime: 2s\n")
        #expect(try await mailing.send().status == 5)
        #expect(try mailing.states()["expired"] == 5)
    }

    @Test func droppedConnectionsLoseNobody() async throws {
        let sink = try await RunningSink("smtp", ["--fail", "drop=0.05,421=0.02"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(400), extra: "attempts: 20\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try mailing.states()["sent"] == 400)
        try await sink.stop()
        #expect(Set(try sink.arrived()).count == 400)
    }

    @Test func aMailingThatIsInterruptedGoesOnAndSendsNothingTwice() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(1200), extra: "batch_size: 100\nspeed: 100/s\n")
        let first = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("some have arrived") { try sink.lines().count > 100 }
        first.signal(SIGINT)
        #expect(try await first.end() == 2, "\(first.errors)")
        let before = try sink.lines().count
        #expect(before < 1200)
        #expect(try await mailing.run("speed", "1000/s").status == 0)
        let second = try await mailing.send()
        #expect(second.status == 0, "\(second.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 1200)
        #expect(Set(try sink.arrived()).count == 1200)
        let third = try await mailing.send()
        #expect(third.status == 6 && third.errors.contains("1,200 recipients have had mailing"), "\(third.errors)")
        #expect(try sink.lines().count == 1200)
    }

    @Test func aProviderThatNeverResponsesDoesNotSpoilTheStop() async throws {
        let sink = try await RunningSink("smtp", ["--fail", "stall=0.02"])
        let mailing = try MailingFolder(provider: "slow", recipients: MailingFolder.recipients(1000), extra: "batch_size: 100\n")
        let config = try mailing.folder.write(
            "providers:\n  slow:\n    url: \(sink.url)\n    timeout: 3s\nshutdown:\n  grace: 500ms\n", to: "flotilla.yaml")
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger, "--config", config])
        try await eventually("some have arrived") { try sink.arrived().count > 100 }
        running.signal(SIGINT)
        #expect(try await running.end() == 2, "\(running.errors)")
        let arrived = try sink.arrived().count
        #expect(try mailing.count("sent") == arrived)
    }

    @Test func aSpeedIsKept() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(200), extra: "speed: 100/s\n")
        let begin = Date().timeIntervalSince1970
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        let starts = try sink.lines().compactMap { Double($0[0]).map { $0 / 1e6 } }.sorted()
        #expect(starts.count == 200)
        // A busy machine lets messages start late, never early.
        for (index, start) in starts.enumerated() { #expect(Double(index) <= (start - begin) * 100 + 2) }
    }

    @Test func pauseResumeAndStopTakeEffectWhileItSends() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "speed: 60/s\nbatch_size: 100\n")
        let running = try RunningProgram(
            ["send", mailing.mailing, "--ledger", mailing.ledger, "--report", mailing.report])
        try await eventually("some have arrived") { try sink.lines().count > 50 }
        let id = try await mailing.id()
        #expect(try await Program.run(["mailing", "pause", id, "--ledger", mailing.ledger]).status == 0)
        try await eventually("what was begun is told") { try mailing.count("sent") == sink.lines().count }
        let paused = try sink.lines().count
        #expect(paused < 1500)
        #expect(try await Program.run(["mailing", "resume", id, "--ledger", mailing.ledger]).status == 0)
        try await eventually("it goes on") { try sink.lines().count > paused + 30 }
        #expect(try await Program.run(["mailing", "stop", id, "--ledger", mailing.ledger]).status == 0)
        #expect(try await running.end() == 2, "\(running.errors)")
        try await sink.stop()
        let arrived = try sink.arrived()
        #expect(Set(arrived).count == arrived.count && arrived.count < 2000)
        let states = try mailing.states().filter { $0.value > 0 }
        #expect(states == ["sent": arrived.count, "stopped": 2000 - arrived.count], "\(states), arrived \(arrived.count)")
    }

    @Test func aProviderThatRefusesOurSenderPausesTheMailingAndSaysWhy() async throws {
        let sink = try await RunningSink("smtp", ["--credentials", "user:pass"])
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(20))
        let outcome = try await mailing.send()
        #expect(outcome.status != 0)
        #expect((outcome.output + outcome.errors).contains("530") || outcome.errors.contains("auth"), "\(outcome)")
        try await sink.stop()
        #expect(try sink.arrived().isEmpty)
    }
}
