import Foundation
import Model
import TestServers
import Testing

@testable import Ledger

/// Recipients' files in the ledger.
@Suite struct UploadConformanceTests {
    private let id = Example.id()
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func mailing(_ ledger: any LedgerStore, _ id: MailingID, state: MailingState = .scheduled) async throws {
        try await ledger.create(
            id, mailing: Example.mailing(), source: RecipientSource(file: "/r.csv", format: .csv, id: "id", address: "email"),
            origin: "", state: state, now: Example.start)
    }

    private func store(_ slices: [[UInt8]], _ ledger: any LedgerStore, _ id: MailingID, by holder: String = "a") async throws -> Bool {
        guard try await ledger.beginUpload(id, by: holder, modified: 7) else { return false }
        let digest = UploadDigest()
        for (number, slice) in slices.enumerated() {
            digest.add(slice)
            try await ledger.append(slice, number: number, to: id, by: holder)
        }
        try await ledger.finishUpload(id, by: holder, digest: digest.finish())
        return true
    }

    private func content(_ ledger: any LedgerStore, _ id: MailingID) async throws -> [[UInt8]] {
        var slices: [[UInt8]] = []
        while let slice = try await ledger.slice(slices.count, of: id) { slices.append(slice) }
        return slices
    }

    @Test(arguments: Engine.all) func whatIsStoredIsReadAsItWas(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        var generator = SeededGenerator(seed: 1)
        let noise = (0..<UploadLimit.slice).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let slices = [Array(repeating: UInt8(ascii: "a"), count: UploadLimit.slice), noise, [0, 255], []]
        #expect(try await store(slices, ledger, id))
        #expect(try await content(ledger, id) == slices)
        let upload = try #require(try await ledger.uploads()[id])
        #expect(upload.bytes == Int64(slices.joined().count) && upload.modified == 7)
        // FIPS 180-4, of no bytes.
        #expect(UploadDigest().finish() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test(arguments: Engine.all) func oneHolderStoresAtATime(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        #expect(try await ledger.beginUpload(id, by: "a", modified: 1))
        try await ledger.append([1, 2], number: 0, to: id, by: "a")
        #expect(try await !ledger.beginUpload(id, by: "b", modified: 1))
        await #expect(throws: LedgerError.self) { try await ledger.append([3], number: 1, to: id, by: "b") }
        await #expect(throws: LedgerError.self) { try await ledger.append([3], number: 5, to: id, by: "a") }
        #expect(try await ledger.uploads() == [:], "it is not whole")
        // Who was interrupted begins anew, and nothing is left of before.
        #expect(try await store([[9]], ledger, id))
        #expect(try await content(ledger, id) == [[9]])
        #expect(try await !store([[8]], ledger, id, by: "b"), "it is stored")
    }

    @Test(arguments: Engine.all) func aRowThatCannotBeReadIsOfItsMailingAlone(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let (good, bad) = (Example.id(1), Example.id(2))
        #expect(try await store([[1]], ledger, good))
        #expect(try await ledger.beginUpload(bad, by: "a", modified: .max))
        try await ledger.finishUpload(bad, by: "a", digest: "00")
        let found = try await ledger.uploads()
        #expect(found[good]?.damage == nil && found[good]?.bytes == 1)
        #expect(try #require(found[bad]?.damage).contains("modified"))
    }

    @Test(arguments: Engine.all) func itIsKnownWhetherSomebodyStores(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        #expect(try await !ledger.isStoringUploads())
        #expect(try await ledger.beginUpload(id, by: "a", modified: 1))
        #expect(try await ledger.isStoringUploads())
        try await ledger.finishUpload(id, by: "a", digest: "00")
        #expect(try await !ledger.isStoringUploads())
        #expect(try await ledger.beginUpload(Example.id(1), by: "a", modified: 1))
        try await ledger.abandonUpload(Example.id(1), by: "a")
        #expect(try await !ledger.isStoringUploads())
    }

    @Test(arguments: Engine.all) func anUploadThatIsGivenUpIsFree(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        #expect(try await ledger.beginUpload(id, by: "a", modified: 1))
        for number in 0..<3 { try await ledger.append([1], number: number, to: id, by: "a") }
        try await ledger.abandonUpload(id, by: "a")
        #expect(try await store([[2]], ledger, id, by: "b"))
        #expect(try await content(ledger, id) == [[2]])
    }

    @Test(arguments: Engine.all) func whatIsNeededNoMoreIsRemoved(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let (open, planned, stopped, never) = (Example.id(1), Example.id(2), Example.id(3), Example.id(4))
        for id in [open, planned, stopped] { try await mailing(ledger, id, state: id == planned ? .collecting : .scheduled) }
        for id in [open, planned, stopped] { #expect(try await store([[1], [2]], ledger, id)) }
        // Nobody added the mailing.
        #expect(try await ledger.beginUpload(never, by: "a", modified: 1))
        try await ledger.abandonUpload(never, by: "a")
        try await ledger.finishPlan(planned, now: 2)
        _ = try await ledger.setState(stopped, to: .stopped, from: [.scheduled], reason: .none, now: 2)
        while try await ledger.removeUploads() {}
        #expect(try await ledger.uploads().keys.map(\.self) == [open])
        #expect(try await ledger.slice(0, of: open) == [1])
        for id in [planned, stopped] { #expect(try await ledger.slice(0, of: id) == nil) }
        #expect(try await ledger.beginUpload(never, by: "b", modified: 1), "nothing is left of it")
    }

    @Test(arguments: Engine.all) func aFileThatAMachineCannotReadIsTold(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await mailing(ledger, id)
        let faults = [SourceFault(host: "a", problem: "/r.csv: no such file"), SourceFault(host: "b", problem: "/r.csv: cannot be opened")]
        for fault in faults { try await ledger.note(fault, of: id, now: Example.start) }
        try await ledger.note(faults[0], of: id, now: Example.start + 1)
        #expect(try await ledger.sourceFaults() == [id: faults])
        #expect(try await ledger.unreadSources(limit: 9).map(\.id) == [id])
        #expect(try await store([[1]], ledger, id))
        #expect(try await ledger.sourceFaults() == [:])
        #expect(try await ledger.unreadSources(limit: 9) == [])
    }
}
