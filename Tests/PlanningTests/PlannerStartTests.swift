import Ledger
import Logging
import Model
import Planning
import Synchronization
import TestServers
import Testing

/// When the planner begins a mailing, on a real ledger and by a clock of the test's.
@Suite struct PlannerStartTests {
    private static let start: Int64 = 1_796_112_000_000
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let source: RecipientSource
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        let file = try folder.write("id,email\n1,a@example.com\n2,b@example.com\n", to: "recipients.csv")
        source = RecipientSource(file: file, format: .csv, id: "id", address: "email")
    }

    private func id(_ number: UInt64) -> MailingID {
        var generator = SeededGenerator(seed: number)
        return MailingID(milliseconds: Int64(number), using: &generator)
    }

    private func add(_ id: MailingID, start: Int64? = start, late: Mailing.MisfirePolicy? = nil) async throws {
        var mailing = Mailing(name: "x", channel: .email, provider: "smtp://localhost", fields: ["id", "email"])
        mailing.late = late
        try await ledger.create(
            id, mailing: mailing, source: source, origin: "/m.yaml", state: .scheduled, start: start, now: 1)
    }

    /// Runs a planner until a mailing is in a state, which comes within a few of its looks at the ledger.
    private func plan(at now: Int64, until id: MailingID, is state: MailingState) async throws {
        let planner = PlannerService(ledger: ledger, poll: .milliseconds(5), clocks: Clocks.system.with { now }, logger: logger)
        let task = Task { try await planner.run() }
        defer { task.cancel() }
        try await eventually("the mailing is \(state)") { try await ledger.mailing(id)?.state == state }
        task.cancel()
        try await task.value
    }

    @Test func aMailingWaitsForItsStartWhileOthersBegin() async throws {
        try await add(id(1))
        try await add(id(2), start: nil)
        try await plan(at: Self.start - 1, until: id(2), is: .sending)
        #expect(try await ledger.mailing(id(1))?.state == .scheduled)
        try await plan(at: Self.start, until: id(1), is: .sending)
        let record = try #require(try await ledger.mailing(id(1)))
        #expect(record.started == Self.start && record.plannedCount == 2)
        #expect(record.expires == Self.start + 86_400_000, "its lifetime begins with it")
    }

    @Test func aMailingThatIsALittleLateBegins() async throws {
        try await add(id(1))
        try await plan(at: Self.start + 3_600_000, until: id(1), is: .sending)
    }

    @Test func aMailingThatIsTooLateIsHeldAndSaysWhatToDo() async throws {
        try await add(id(1))
        let now = Self.start + 10_920_000
        try await plan(at: now, until: id(1), is: .paused)
        var record = try #require(try await ledger.mailing(id(1)))
        #expect(
            record.reason == """
                its start 2026-12-01T08:00:00Z is 3 h 2 min past, and at most 1 h is allowed: flotilla mailing resume \
                \(id(1)) sends it now, flotilla mailing stop \(id(1)) ends it
                """)
        #expect(record.started == nil && record.plannedCount == 0)
        // The same `send` again is held again; a person who resumes it has it sent.
        #expect(try await ledger.resume(id(1), atOnce: false, now: now) == .scheduled)
        try await plan(at: now, until: id(1), is: .paused)
        #expect(try await ledger.resume(id(1), atOnce: true, now: now) == .scheduled)
        try await plan(at: now, until: id(1), is: .sending)
        record = try #require(try await ledger.mailing(id(1)))
        #expect(record.started == now && record.plannedCount == 2)
    }

    @Test func aMailingMayBeSentHoweverLateItIs() async throws {
        try await add(id(1), late: .send)
        try await plan(at: Self.start + 10_920_000, until: id(1), is: .sending)
    }

    @Test func aStartedMailingIsNeverTooLate() async throws {
        try await add(id(1))
        #expect(
            try await ledger.setState(id(1), to: .collecting, from: [.scheduled], reason: .none, now: Self.start))
        try await plan(at: Self.start + 10_920_000, until: id(1), is: .sending)
        #expect(try await ledger.mailing(id(1))?.started == Self.start)
    }

    @Test func aMailingPausedWhileItIsPlannedGoesOnWhenItIsResumed() async throws {
        try await add(id(1), start: nil)
        #expect(try await ledger.setState(id(1), to: .collecting, from: [.scheduled], reason: .none, now: 5))
        #expect(try await ledger.setState(id(1), to: .paused, from: [.collecting], reason: StateReason(text: "tea"), now: 6))
        try await add(id(2), start: nil)
        try await plan(at: 7, until: id(2), is: .sending)
        #expect(try await ledger.mailing(id(1))?.plannedCount == 0)
        #expect(try await ledger.resume(id(1), atOnce: true, now: 8) == .collecting)
        try await plan(at: 9, until: id(1), is: .sending)
        #expect(try await ledger.mailing(id(1))?.plannedCount == 2)
    }
}
