import Foundation
import GRDB
import Ledger
import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Planning

/// How a planner works through many mailings, on a real ledger.
@Suite(.timeLimit(.minutes(2))) struct PlannerServiceTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
    }

    private func id(_ number: Int) -> MailingID {
        var generator = SeededGenerator(seed: UInt64(number))
        return MailingID(milliseconds: Int64(number), using: &generator)
    }

    private func file(_ name: String, rows: Int, more: String = "") throws -> String {
        try folder.write("id,email\n" + (0..<rows).map { "\($0),p\($0)@example.com\n" }.joined() + more, to: name)
    }

    private func add(_ number: Int, file: String, state: MailingState = .scheduled, start: Int64? = nil) async throws {
        try await ledger.create(
            id(number), mailing: Mailing(name: "x", channel: .email, provider: "smtp://localhost", fields: ["id", "email"]),
            source: RecipientSource(file: file, format: .csv, id: "id", address: "email"), origin: "", state: state, start: start, now: 1)
    }

    /// Runs a planner that is woken by changes alone while `body` runs.
    private func planning(_ body: () async throws -> Void) async throws {
        let planner = PlannerService(ledger: ledger, poll: .seconds(60), logger: logger)
        let task = Task { try await planner.run() }
        defer { task.cancel() }
        try await body()
        task.cancel()
        try await task.value
    }

    private func wait(until states: [MailingState], of numbers: Range<Int>) async throws {
        for number in numbers {
            try await eventually("mailing \(number) is \(states)") {
                try await states.contains(ledger.mailing(id(number))?.state ?? .draft)
            }
        }
    }

    private func change(_ numbers: ClosedRange<Int>, _ changes: String) throws {
        let file = try DatabaseQueue(path: folder.path + "/ledger.sqlite")
        try file.write { db in
            for number in numbers {
                try db.execute(
                    sql: "UPDATE mailing SET definition = json_set(definition, \(changes)) WHERE id = ?",
                    arguments: [id(number).description])
            }
        }
        try file.close()
    }

    @Test func aMailingThatCannotBeReadFailsAlone() async throws {
        let people = try file("people.csv", rows: 3)
        for number in 1...3 { try await add(number, file: people) }
        try change(2...2, "'$.batchSize', 0")
        try await planning {
            try await wait(until: [.sending], of: 1..<2)
            try await wait(until: [.sending], of: 3..<4)
            try await eventually("it has failed") { try await ledger.unreadableMailings(limit: 9).map(\.state) == ["failed"] }
        }
    }

    /// As many as a look takes at a time wait for a newer planner, and they are the first.
    @Test func mailingsOfANewerReleaseAreLeftToItsPlanner() async throws {
        let people = try file("people.csv", rows: 3)
        for number in 1...110 { try await add(number, file: people) }
        try change(1...109, "'$.version', 4, '$.channel', 'pigeon'")
        try await planning { try await wait(until: [.sending], of: 110..<111) }
        let left = try await ledger.unreadableMailings(limit: 200)
        #expect(left.count == 109 && left.allSatisfy { $0.isNewer && $0.state == "scheduled" })
        #expect(left.first?.error.description.contains("its version 4 is newer than 3") == true)
    }

    /// Those whom an earlier mailing of the same identity has reached are excluded and counted; whoever it failed for gets it.
    @Test func onlyThoseWhoHaveNotHadItArePlanned() async throws {
        func add(_ number: Int, _ text: String, onlyNew: Bool) async throws {
            var new = NewMailing(
                id: id(number), mailing: Mailing(name: "x", channel: .email, provider: "smtp://localhost", fields: ["id", "email"]),
                source: RecipientSource(
                    file: try folder.write("id,email\n" + text, to: "\(number).csv"), format: .csv, id: "id", address: "email"))
            new.identity = .key("spring")
            new.onlyNew = onlyNew
            _ = try await ledger.add(new, repeating: onlyNew ? .onlyNew : .refuse, note: nil, now: 1)
        }
        try await add(1, "1,Ann@example.com\n2,bob@example.com\n3,cy@example.com\n", onlyNew: false)
        try await planning { try await wait(until: [.sending], of: 1..<2) }
        _ = try await ledger.dispatchBatches([(id(1), 1)], now: 1)
        let results = [RecipientState.sent, .failed, .sent].enumerated().map { index, state in
            RecipientResult(
                index: index, state: state, attempts: 1, at: 1,
                response: ProviderResponse(action: .accept, stage: .response, code: 250, text: ""))
        }
        let group = ResultGroup(
            Dispatch(batch: BatchID(mailing: id(1), number: 0), dispatchNumber: 1), worker: "w", sequence: 0, closing: .done, groups: 1,
            results: results)
        _ = try await ledger.write(groups: [group], events: [], now: 1)
        _ = try await ledger.complete([id(1)], now: 1)
        try await add(2, "1,ann@EXAMPLE.com\n2,bob@example.com\n4,dee@example.com\n4,dee@example.com\n5,\n", onlyNew: true)
        try await planning { try await wait(until: [.sending], of: 2..<3) }
        let report = try #require(try await ledger.report(id(2), now: 2))
        #expect(report.planned == 2 && report.excluded == [.sentBefore: 1, .duplicate: 1, .noAddress: 1] && report.balances)
        #expect(try await ledger.recipient(id(2), "bob@example.com") != nil)
        #expect(try await ledger.recipient(id(2), "ann@example.com") == nil)
        #expect(try await ledger.recount(id(2)) == [])
        _ = try await ledger.setState(id(2), to: .stopped, from: [.sending], reason: .none, now: 2)
        // Everybody who is left has had it.
        try await add(3, "1,ann@example.com\n3,cy@example.com\n", onlyNew: true)
        try await planning { try await wait(until: [.sending], of: 3..<4) }
        let nobody = try #require(try await ledger.mailing(id(3)))
        #expect(nobody.plannedCount == 0 && nobody.excludedCount == 2)
    }

    /// What the ledger cannot take, now or later, ends the mailing that it is of.
    @Test func aMailingThatTheLedgerCannotTakeFailsAlone() async throws {
        let good = try file("good.csv", rows: 3)
        for number in 0..<5 { try await add(number, file: good) }
        // The batch that this mailing's plan begins with is there already.
        let file = try DatabaseQueue(path: folder.path + "/ledger.sqlite")
        try await file.write { [id = id(2)] db in
            try db.execute(sql: "INSERT INTO batch (mailing, number, count, recipients) VALUES ('\(id)', 0, 1, '[]')")
        }
        try await planning { try await wait(until: [.sending, .failed], of: 0..<5) }
        for number in 0..<5 {
            let record = try #require(try await ledger.mailing(id(number)))
            #expect(record.state == (number == 2 ? .failed : .sending))
            if number == 2 { #expect(record.stateReason.text.contains("cannot take this plan")) }
        }
    }

    @Test func aBrokenMailingFailsAlone() async throws {
        let good = try file("good.csv", rows: 3)
        let broken = try file("broken.csv", rows: 3)
        for number in 0..<9 { try await add(number, file: number == 4 ? broken : good) }
        try FileManager.default.removeItem(atPath: broken)
        try await planning { try await wait(until: [.sending, .failed], of: 0..<9) }
        for number in 0..<9 {
            let record = try #require(try await ledger.mailing(id(number)))
            #expect(record.state == (number == 4 ? .failed : .sending))
            #expect(record.planningDone == (number != 4) && record.started != nil)
            #expect(record.reason.isEmpty == (number != 4))
            #expect(try await ledger.recount(record.id) == [])
        }
        // What nobody has got is dispatched from the others alone.
        #expect(try await ledger.work().allSatisfy { $0.planned == 3 && $0.isPlanned && $0.expires != nil })
    }

    @Test func aNewMailingWakesThePlanner() async throws {
        let source = try file("r.csv", rows: 1)
        try await planning {
            for number in 0..<10 {
                // Its poll comes after a minute, the deadline after half of one.
                try await add(number, file: source)
                try await wait(until: [.sending], of: number..<(number + 1))
            }
        }
    }

    @Test func aStartThatComesWakesThePlanner() async throws {
        let start = Clock.milliseconds() + 400
        try await add(0, file: file("r.csv", rows: 1), start: start)
        try await planning { try await wait(until: [.sending], of: 0..<1) }
        let record = try #require(try await ledger.mailing(id(0)))
        let started = try #require(record.started)
        #expect((start..<start + 60_000).contains(started))
    }

    @Test func aLargeMailingIsPlannedInParts() async throws {
        try await add(0, file: file("small.csv", rows: 5))
        try await add(1, file: file("large.csv", rows: 25_000))
        try await add(2, file: file("small.csv", rows: 5))
        try await planning { try await wait(until: [.sending], of: 0..<3) }
        for (number, count) in [(0, 5), (1, 25_000), (2, 5)] {
            let record = try #require(try await ledger.mailing(id(number)))
            #expect(record.plannedCount == count && record.rowsRead == count)
            #expect(try await ledger.recount(record.id) == [])
        }
    }

    @Test func oneThatWasStoppedIsLeftAlone() async throws {
        try await add(0, file: file("r.csv", rows: 1))
        let waiting = try await ledger.waiting(only: nil, now: 5, limit: 9)
        #expect(waiting.due.count == 1)
        _ = try await ledger.setState(id(0), to: .stopped, from: [.scheduled], reason: .none, now: 5)
        let planner = PlannerService(ledger: ledger, poll: .seconds(60), logger: logger)
        var buffer = PlanBuffer()
        buffer.append(PlanBuffer.Entry(step: PlanStep(mailing: id(0), ending: .whole), rows: 0, record: waiting.due[0]))
        #expect(try await planner.write(&buffer) == [id(0)])
        #expect(buffer.entries.isEmpty && buffer.rows == 0)
        #expect(try await ledger.mailing(id(0))?.state == .stopped)
    }
}
