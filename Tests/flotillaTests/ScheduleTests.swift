import Foundation
import TestServers
import Testing

/// `flotilla send` on mailings with a start.
@Suite struct ScheduleTests {
    /// Seconds until a start that is waited for: on a busy machine a program is a while in starting, and has to see it ahead.
    private static let soon = 12.0

    private func time(_ seconds: Double) -> String {
        Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    }

    private func folder(_ sink: RunningSink, start: String, _ extra: String = "") throws -> MailingFolder {
        try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(10), extra: "start: \"\(start)\"\n" + extra)
    }

    private func run(_ mailing: MailingFolder, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(["mailing"] + arguments + ["--ledger", mailing.ledger])
    }

    @Test func waitsForItsStartAndSaysWhenThatIs() async throws {
        let sink = try await RunningSink()
        let begin = Date()
        let mailing = try folder(sink, start: time(Self.soon))
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("it says when it starts") { running.errors.contains("Test: starts in ") }
        let listed = try await run(mailing, "list")
        #expect(listed.output.contains("scheduled, in "), "\(listed.output)")
        let shown = try await run(mailing, "show", mailing.id())
        #expect(shown.output.contains("start ") && shown.output.contains("Test: starts in "), "\(shown.output)")
        let before = try sink.lines()
        #expect(before.isEmpty || Date().timeIntervalSince(begin) > Self.soon - 1)
        #expect(try await running.end() == 0, "\(running.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 10)
        let first = try sink.lines().compactMap { Double($0[0]) }.min() ?? 0
        // The start is in whole seconds.
        #expect(first / 1e6 - begin.timeIntervalSince1970 > Self.soon - 1)
    }

    @Test func anInterruptedWaitGoesOnWithTheSameCommand() async throws {
        let sink = try await RunningSink()
        let mailing = try folder(sink, start: time(Self.soon))
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("it waits") { running.errors.contains("starts in ") }
        running.signal(SIGTERM)
        #expect(try await running.end() == 2, "\(running.errors)")
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        #expect(try sink.arrived().count == 10)
    }

    @Test func aStartLongPastIsHeldUntilAPersonResumesIt() async throws {
        let sink = try await RunningSink()
        let mailing = try folder(sink, start: time(-7_500))
        for _ in 0..<2 {
            let held = try await mailing.send()
            #expect(held.status == 4, "\(held.errors)")
            #expect(held.errors.contains("2 h 5 min past, and at most 1 h is allowed: flotilla mailing resume "))
            #expect(!held.output.contains("the same command goes on"))
        }
        #expect(try sink.lines().isEmpty)
        let resumed = try await run(mailing, "resume", mailing.id())
        #expect(resumed.output.hasSuffix(": scheduled\n"))
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        #expect(try sink.arrived().count == 10)
    }

    @Test func aStartLongPastIsSentWhereTheMailingSaysSo() async throws {
        let sink = try await RunningSink()
        let mailing = try folder(sink, start: time(-7_500), "late: send\nmax_delay: 10m\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 0 && outcome.errors.contains("begins 2 h 5 min after its start"), "\(outcome.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 10)
    }

    @Test func aScheduledMailingCanBePausedAndStopped() async throws {
        let sink = try await RunningSink()
        let mailing = try folder(sink, start: time(Self.soon))
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("it waits") { running.errors.contains("starts in ") }
        let id = try await mailing.id()
        #expect(try await run(mailing, "pause", id).output == "\(id): paused\n")
        let past = Date(timeIntervalSinceNow: Self.soon + 1)
        try await eventually("its start has passed") { Date() > past }
        #expect(try sink.lines().isEmpty)
        #expect(try await run(mailing, "resume", id).output == "\(id): scheduled\n")
        #expect(try await running.end() == 0, "\(running.errors)")
        let other = try folder(sink, start: time(600))
        let waiting = try RunningProgram(["send", other.mailing, "--ledger", other.ledger])
        try await eventually("it waits") { waiting.errors.contains("starts in ") }
        #expect(try await run(other, "stop", other.id()).status == 0)
        #expect(try await waiting.end() == 2)
        try await sink.stop()
        #expect(try sink.arrived().count == 10)
    }
}
