import Foundation
import Ledger
import Logging
import Model
import TestServers
import Testing

@testable import Planning

/// Mailings whose recipients' file is not on the machine of every planner.
@Suite(.timeLimit(.minutes(2))) struct UploadTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let id: MailingID

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        var generator = SeededGenerator(seed: 1)
        id = MailingID(milliseconds: 1, using: &generator)
    }

    private var path: String { folder.path("people.csv") }
    private var source: RecipientSource { RecipientSource(file: path, format: .csv, id: "id", address: "email") }

    private func write(rows: Int) throws {
        try folder.write("id,email\n" + (0..<rows).map { "\($0),p\($0)@example.com\n" }.joined(), to: "people.csv")
    }

    private func add() async throws {
        try await ledger.create(
            id, mailing: Mailing(name: "x", channel: .email, provider: "smtp://localhost", fields: ["id", "email"]), source: source,
            origin: "", state: .scheduled, now: 1)
    }

    private func planner(uploadTime: Duration = .seconds(600)) -> PlannerService {
        var planner = PlannerService(ledger: ledger, poll: .milliseconds(5), logger: logger)
        planner.sharing = .init(host: "host-a", uploadTime: uploadTime)
        return planner
    }

    private func planning(_ planner: PlannerService, _ body: () async throws -> Void) async throws {
        let task = Task { try await planner.run() }
        defer { task.cancel() }
        try await body()
        task.cancel()
        try await task.value
    }

    private func expectPlanned(_ count: Int) async throws {
        try await eventually("it is planned") { try await ledger.mailing(id)?.state == .sending }
        #expect(try await ledger.mailing(id)?.plannedCount == count)
        #expect(try await ledger.recount(id) == [])
        try await eventually("the file is removed") { try await ledger.uploads() == [:] }
    }

    @Test func aMailingIsPlannedFromTheLedger() async throws {
        // Several slices.
        try write(rows: 40_000)
        #expect(try await RecipientStoring(source, in: ledger, by: "a").store(id))
        try FileManager.default.removeItem(atPath: path)
        try await add()
        try await planning(planner()) { try await expectPlanned(40_000) }
    }

    @Test func aPlanThatBeganFromTheFileGoesOnFromTheLedger() async throws {
        try write(rows: 25_000)
        try await add()
        let stamp = try FileStamp(path: path)
        var reading = try RecipientPlanner(source: source, channel: .email)
        var chunk = reading.makeChunk()
        #expect(try reading.next(&chunk))
        var step = PlanStep(mailing: id)
        (step.sourceSize, step.sourceModified) = (stamp.size, stamp.modified)
        step.batches = [PlannedBatch(number: 0, recipients: chunk.recipients)]
        step.rowsRead = reading.rows
        step.sourceChecksum = Int64(bitPattern: reading.rowsChecksum)
        #expect(try await ledger.writePlan([step], now: 1).isEmpty)
        #expect(try await RecipientStoring(source, in: ledger, by: "b").store(id))
        try FileManager.default.removeItem(atPath: path)
        try await planning(planner()) { try await expectPlanned(25_000) }
    }

    @Test func aPlannerThatStandsByStoresWhatTheLeaderCannotRead() async throws {
        try await add()
        try await planning(planner()) {
            try await eventually("the leader says so") { try await ledger.sourceFaults()[id]?.count == 1 }
            #expect(try await ledger.mailing(id)?.state == .scheduled)
            let fault = try #require(try await ledger.sourceFaults()[id]?.first)
            #expect(fault.host == "host-a" && fault.problem.contains(path) && fault.problem.contains("no such file"))
            // The other machine has the file.
            try write(rows: 3)
            var helper = SourceHelper(ledger: ledger, host: "host-b", holder: "b", clocks: Clocks.system.with { 1 }, logger: logger)
            try await helper.help()
            try await expectPlanned(3)
        }
    }

    @Test func aFileThatNobodyHasPausesTheMailing() async throws {
        try await add()
        var helper = SourceHelper(ledger: ledger, host: "host-b", holder: "b", clocks: Clocks.system.with { 1 }, logger: logger)
        var looks = LeftMailings()
        let service = planner(uploadTime: .zero)
        let record = try #require(try await ledger.mailing(id))
        let error = #expect(throws: InputError.self) { _ = try FileStamp(path: path) }
        let sharing = try #require(service.sharing)
        try await service.leave(record, try #require(error), as: sharing, &looks)
        try await helper.help()
        #expect(try await ledger.mailing(id)?.state == .scheduled)
        try await service.leave(record, try #require(error), as: sharing, &looks)
        let paused = try #require(try await ledger.mailing(id))
        #expect(paused.state == .paused && paused.stateReason.kind == .input)
        for word in ["host-a", "host-b", path, "no such file"] { #expect(paused.reason.contains(word), "\(paused.reason)") }
        // A person has put it there.
        try write(rows: 2)
        #expect(try await ledger.resume(id, atOnce: false, now: 3) == .scheduled)
        try await planning(service) { try await expectPlanned(2) }
    }

    /// It may take minutes, in which the mailing has to wait; what is given up gives it its time anew.
    @Test func aMailingIsNotPausedWhileAFileIsStored() async throws {
        try await add()
        let service = planner(uploadTime: .zero)
        let record = try #require(try await ledger.mailing(id))
        let error = try #require(#expect(throws: InputError.self) { _ = try FileStamp(path: path) })
        let sharing = try #require(service.sharing)
        var looks = LeftMailings()
        try await service.leave(record, error, as: sharing, &looks)
        var generator = SeededGenerator(seed: 2)
        let other = MailingID(milliseconds: 2, using: &generator)
        for stored in [id, other] {
            #expect(try await ledger.beginUpload(stored, by: "b", modified: 1))
            for _ in 0..<3 { try await service.leave(record, error, as: sharing, &looks) }
            #expect(try await ledger.mailing(id)?.state == .scheduled)
            try await ledger.abandonUpload(stored, by: "b")
        }
        try await service.leave(record, error, as: sharing, &looks)
        #expect(try await ledger.mailing(id)?.state == .paused)
    }

    @Test func timeRunsAnewAfterSomebodyWasAtIt() {
        var looks = LeftMailings()
        #expect(looks.leave(id, now: 0) == nil)
        #expect(looks.leave(id, now: 70_000) == 70_000)
        looks.postpone(id, now: 70_000)
        #expect(looks.leave(id, now: 80_000) == 10_000)
    }

    @Test func whatCannotBeReadOfAnUploadFailsItsMailingAlone() async throws {
        try write(rows: 3)
        try await add()
        var generator = SeededGenerator(seed: 2)
        let other = MailingID(milliseconds: 2, using: &generator)
        try await ledger.create(
            other, mailing: Mailing(name: "y", channel: .email, provider: "smtp://localhost", fields: ["id", "email"]), source: source,
            origin: "", state: .scheduled, now: 1)
        #expect(try await ledger.beginUpload(other, by: "a", modified: .max))
        try await ledger.finishUpload(other, by: "a", digest: "00")
        try await planning(planner()) {
            try await eventually("the other fails") { try await ledger.mailing(other)?.state == .failed }
            try await expectPlanned(3)
        }
        #expect(try await ledger.mailing(other)?.reason.contains("modified") == true)
    }

    // MARK: - Stops

    private func storing(in store: any UploadStore) -> Task<Bool, any Error> {
        let (id, storing) = (id, RecipientStoring(source, in: store, by: "a"))
        return Task { try await storing.store(id) }
    }

    @Test func whoeverStoresAFileEndsWithTheSliceAtWhichItIsCancelled() async throws {
        let store = PausingUploads(ledger, at: 2)
        let size = UploadLimit.slice * 6
        try Data(count: size).write(to: URL(fileURLWithPath: path))
        let storing = storing(in: store)
        await store.pause.arrived()
        storing.cancel()
        store.pause.go()
        await #expect(throws: CancellationError.self) { try await storing.value }
        #expect(try await !ledger.isStoringUploads())
        #expect(try await RecipientStoring(source, in: ledger, by: "b").store(id), "it is free at once")
    }

    @Test func aFileThatGrowsWhileItIsStoredIsRefused() async throws {
        let store = PausingUploads(ledger, at: 0)
        try write(rows: 3)
        let storing = storing(in: store)
        await store.pause.arrived()
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 64 << 20)
        try file.close()
        store.pause.go()
        await #expect(throws: InputError.self) { try await storing.value }
        // The first slice, and none of what came after it.
        #expect(store.appended == 1)
    }

    @Test func whatIsStoredIsNotReadToItsEndAfterAStop() async throws {
        try Data(count: UploadLimit.slice * 6).write(to: URL(fileURLWithPath: path))
        #expect(try await RecipientStoring(source, in: ledger, by: "a").store(id))
        try await add()
        let (record, upload) = (try #require(try await ledger.mailing(id)), try #require(try await ledger.uploads()[id]))
        var looks = 0
        let stored = try await StoredSource.read(upload, of: record, from: ledger) {
            looks += 1
            return looks == 2
        }
        #expect(stored == nil && looks == 2)
    }

    @Test func whatIsDamagedInTheLedgerFailsTheMailing() async throws {
        try write(rows: 3)
        #expect(try await ledger.beginUpload(id, by: "a", modified: 1))
        try await ledger.append(Array("id,email\n1,a@example.com\n".utf8), number: 0, to: id, by: "a")
        try await ledger.finishUpload(id, by: "a", digest: "00")
        try await add()
        try await planning(planner()) {
            try await eventually("it fails") { try await ledger.mailing(id)?.state == .failed }
        }
        #expect(try await ledger.mailing(id)?.reason.contains("stored in the ledger: is damaged") == true)
    }
}
