import Foundation
import GRDB
import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(1))) struct ChangeTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/ledger.sqlite" }

    init() throws { folder = try TemporaryFolder() }

    /// Waits until nothing is told for a while: what opening a ledger wrote, and one's own commits, may be told twice.
    private func settle(_ signal: WakeSignal) async {
        while await signal.wait(atMost: .milliseconds(200)) {}
    }

    @Test func aCommitOfThisProcessWakesAtOnce() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        await settle(signal)
        try await Example.plan(ledger, batches: [1])
        #expect(await signal.wait(atMost: .zero))
        subscription.cancel()
        try ledger.close()
    }

    @Test func aCommitOfAnotherConnectionWakesSoon() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        let other = try SQLiteLedger.open(path, logger: logger)
        try await Example.plan(other, batches: [1])
        await settle(signal)
        var waits: [Duration] = []
        for round in 0..<10 {
            _ = try await other.setLimit(.channel(.sms), "\(round + 1)/s", now: 1)
            let start = ContinuousClock.now
            #expect(await signal.wait(atMost: .seconds(5)))
            waits.append(ContinuousClock.now - start)
            await settle(signal)
        }
        // 5 ms on an idle machine; a look every two seconds would take longer.
        #expect(waits.sorted()[5] < .milliseconds(500), "\(waits)")
        subscription.cancel()
        try other.close()
        try ledger.close()
    }

    @Test func aCommitOfAnotherProcessWakes() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        await settle(signal)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        shell.arguments = ["sqlite3", path, "UPDATE ledger SET identity = 'other'"]
        try shell.run()
        #expect(await signal.wait(atMost: .seconds(10)))
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        subscription.cancel()
        try ledger.close()
    }

    @Test func readersWakeNobody() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        try await Example.plan(ledger, batches: [10])
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        await settle(signal)
        let other = try SQLiteLedger.open(path, logger: logger)
        for _ in 0..<50 {
            _ = try await ledger.report(Example.id(), now: 1)
            _ = try await other.report(Example.id(), now: 1)
        }
        // A write that changes nothing is none.
        #expect(try await ledger.acquireLeadership("x", holder: "a", for: .seconds(600), isHolderGone: false) == 1)
        await settle(signal)
        #expect(try await other.acquireLeadership("x", holder: "b", for: .seconds(600), isHolderGone: false) == nil)
        #expect(try await ledger.acquireLeadership("x", holder: "b", for: .seconds(600), isHolderGone: false) == nil)
        try other.close()
        #expect(await !signal.wait(atMost: .milliseconds(300)))
        subscription.cancel()
        try ledger.close()
    }

    @Test func anotherFileInItsPlaceIsWatched() async throws {
        try SQLiteLedger.open(path, logger: logger).close()
        let signal = WakeSignal()
        let watcher = CommitWatcher(path: path, logger: logger) { signal.notify() }
        try SQLiteLedger.open(folder.path + "/copy.sqlite", logger: logger).close()
        #expect(await !signal.wait(atMost: .milliseconds(300)))
        #expect(rename(folder.path + "/copy.sqlite", path) == 0)
        #expect(await signal.wait(atMost: .seconds(5)))
        await settle(signal)
        let other = try DatabaseQueue(path: path)
        try await other.write { try $0.execute(sql: "UPDATE ledger SET identity = 'other'") }
        #expect(await signal.wait(atMost: .seconds(5)))
        watcher.end()
    }

    @Test func aSubscriptionEndsWithItsLastReference() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        let signal = WakeSignal()
        var subscription: ChangeSubscription? = ledger.wake(signal)
        await settle(signal)
        #expect(subscription != nil)
        subscription = nil
        try await Example.plan(ledger, batches: [1])
        #expect(await !signal.wait(atMost: .milliseconds(100)))
        try ledger.close()
    }

    @Test func nobodyIsToldOfAnIdleLedger() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        await settle(signal)
        #expect(await !signal.wait(atMost: .seconds(2)))
        subscription.cancel()
        try ledger.close()
    }

    @Test func afterAnEventThereAreSeveralLooksAndThenNone() {
        var looks = RepeatedLooks()
        #expect(looks.next() == nil)
        looks.begin()
        var delays: [Int32] = []
        while let delay = looks.next() { delays.append(delay) }
        #expect(delays == [0, 4, 8, 16, 32, 64, 128, 256, 512])
    }
}
