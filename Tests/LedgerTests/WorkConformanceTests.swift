import Glibc
import Ledger
import Model
import TestServers
import Testing

@Suite struct WorkConformanceTests {
    let now = Example.start

    private func plan(
        _ ledger: any LedgerStore, _ number: Int, batches: [Int] = [2, 1], speed: String? = nil,
        uncertain: Mailing.UncertainPolicy = .redeliver
    ) async throws {
        var mailing = Example.mailing(uncertain: uncertain)
        mailing.speed = speed
        try await Example.plan(ledger, Example.id(number), batches: batches, mailing: mailing)
    }

    @Test(arguments: Engine.all) func tellsOfAMailingWhatADispatcherNeeds(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await plan(ledger, 0, speed: "5/s")
        var expected = MailingWork(id: Example.id(0), state: .sending, channel: .email, provider: "smtp://127.0.0.1:2525")
        expected.speed = "5/s"
        expected.expires = now + 3_600_000
        (expected.planned, expected.open, expected.batches, expected.isPlanned, expected.next) = (3, 3, 2, true, 0)
        #expect(try await ledger.work() == [expected])
        try await ledger.setSpeed(Example.id(0), "9/s")
        _ = try await ledger.dispatchBatches([(Example.id(0), 2)], now: now)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), deferred(1, due: now + 800)]), resultGroup(batch: 1, [uncertain(0)])],
            events: [], now: now)
        let work = try #require(try await ledger.work().first)
        #expect(work.speed == "9/s" && work.open == 2 && work.uncertain == 1 && work.dispatched == 1 && !work.isComplete)
        #expect(try await ledger.heldRecipients() == 1)
        let next = try #require(work.next)
        #expect((now + 800...now + 900).contains(next))
    }

    @Test(arguments: Engine.all) func listsWhatIsInWorkTheOldestFirst(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in (0..<6).reversed() { try await plan(ledger, number) }
        try await ledger.create(
            Example.id(6), mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: now)
        try await ledger.create(
            Example.id(7), mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        _ = try await ledger.setState(Example.id(1), to: .paused, from: [.sending], reason: StateReason(text: "tea"), now: now)
        _ = try await ledger.setState(Example.id(2), to: .stopped, from: [.sending], reason: .none, now: now)
        _ = try await ledger.setState(Example.id(3), to: .failed, from: [.sending], reason: .none, now: now)
        try await ledger.setSpeed(Example.id(5), "9/s")
        let work = try await ledger.work()
        #expect(work.map(\.id) == [0, 1, 2, 4, 5].map(Example.id))
        #expect(work.map(\.state) == [.sending, .paused, .stopped, .sending, .sending])
        // One that was stopped before anybody was planned ends at once.
        _ = try await ledger.setState(Example.id(7), to: .stopped, from: [.collecting], reason: .none, now: now)
        #expect(try await !ledger.work().contains { $0.id == Example.id(7) })
    }

    /// However it comes about that nothing is left of it.
    @Test(arguments: Engine.all) func aStoppedMailingIsInWorkUntilNothingIsLeft(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<4 {
            try await plan(ledger, number, uncertain: .hold)
            _ = try await ledger.dispatchBatches([(Example.id(number), 1)], now: now)
            _ = try await ledger.setState(Example.id(number), to: .stopped, from: [.sending], reason: .none, now: now)
            #expect(try await ledger.stopOpen(Example.id(number), now: now) == 1)
        }
        #expect(try await ledger.work().map(\.dispatched) == [1, 1, 1, 1])
        let dispatches = (0..<4).map { Dispatch(batch: BatchID(mailing: Example.id($0), number: 0), dispatchNumber: 1) }
        // Each of its recipients has a result.
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, mailing: Example.id(0), [sent(0), sent(1)])], events: [], now: now)
        // It came back, and is stopped then.
        #expect(try await ledger.takeBack([dispatches[1]], now: now) == 1)
        #expect(try await ledger.work().map(\.id) == [1, 2, 3].map(Example.id))
        #expect(try await ledger.stopOpen(Example.id(1), now: now) == 2)
        // It was lost, and is held for a person.
        _ = try await ledger.giveUp([dispatches[2]], why: "lost", now: now)
        #expect(try await ledger.work().map(\.id) == [Example.id(3)])
        for number in 0..<4 { #expect(try await ledger.recount(Example.id(number)) == []) }
    }

    @Test(arguments: Engine.all) func dispatchesOfSeveralMailingsAtOnce(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<4 { try await plan(ledger, number, batches: [2, 1, 1]) }
        _ = try await ledger.setState(Example.id(1), to: .paused, from: [.sending], reason: .none, now: now)
        let wanted = [(mailing: Example.id(2), limit: 2), (Example.id(0), 1), (Example.id(1), 5), (Example.id(3), 0), (Example.id(9), 5)]
        let batches = try await ledger.dispatchBatches(wanted, now: now)
        #expect(batches.map { "\($0.id)" } == ["\(Example.id(2))/0", "\(Example.id(2))/1", "\(Example.id(0))/0"])
        #expect(batches.allSatisfy { $0.provider == "smtp://127.0.0.1:2525" && $0.expires == now + 3_600_000 })
        let open = try await ledger.openDispatches(of: (0..<4).map(Example.id))
        #expect(open[Example.id(2)]?.map(\.number) == [0, 1] && open[Example.id(0)]?.map(\.number) == [0])
        #expect(open[Example.id(1)] == nil && open[Example.id(3)] == nil)
        #expect(try await ledger.dispatchBatches(wanted, now: now).map(\.id.number) == [2, 1])
    }

    @Test(arguments: Engine.all) func completesThoseOfWhomEachRecipientIsTerminal(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<3 {
            try await plan(ledger, number, batches: [1])
            _ = try await ledger.dispatchBatches([(Example.id(number), 1)], now: now)
        }
        for number in [0, 2] {
            _ = try await ledger.write(
                groups: [resultGroup(closing: .done, mailing: Example.id(number), [sent(0)])], events: [], now: now)
        }
        _ = try await ledger.setState(Example.id(2), to: .paused, from: [.sending], reason: .none, now: now)
        #expect(try await ledger.complete((0..<4).map(Example.id), now: now + 7) == [Example.id(0)])
        let record = try await ledger.mailing(Example.id(0))
        #expect(record?.state == .sent && record?.finished == now + 7)
        #expect(try await ledger.work().map(\.id) == [1, 2].map(Example.id))
    }

    @Test(arguments: Engine.all) func takesBackAndGivesUpManyAtOnce(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        try await Example.plan(ledger, Example.id(0), batches: [2, 2], mailing: mailing)
        mailing.uncertain = .hold
        try await Example.plan(ledger, Example.id(1), batches: [3], mailing: mailing)
        _ = try await ledger.dispatchBatches([(Example.id(0), 2), (Example.id(1), 1)], now: now)
        func dispatch(_ mailing: Int, _ batch: Int, _ number: Int = 1) -> Dispatch {
            Dispatch(batch: BatchID(mailing: Example.id(mailing), number: batch), dispatchNumber: number)
        }
        #expect(try await ledger.takeBack([dispatch(0, 1), dispatch(0, 0, 2), dispatch(5, 0)], now: now) == 1)
        let lost = try await ledger.giveUp([dispatch(0, 0), dispatch(0, 1), dispatch(1, 0)], why: "it fell", now: now)
        #expect(lost.batches == 2 && lost.listed == 5)
        let work = try await ledger.work()
        #expect(work.map(\.uncertain) == [0, 3] && work.map(\.dispatched) == [0, 0] && work.map(\.next) == [0, nil])
        #expect(
            try await ledger.uncertain(Example.id(1), onlyHeld: true, after: nil, limit: 9).map(\.listing.why) == [
                "it fell", "it fell", "it fell",
            ])
        for number in 0..<2 { #expect(try await ledger.recount(Example.id(number)) == []) }
    }

    /// In CPU time, so that other load of the machine matters less.
    @Test(arguments: Engine.all) func whatIsOverCostsADispatcherNothing(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        mailing.html = Mailing.Template(source: String(repeating: "<p>much</p>", count: 3000))
        for number in 0..<150 {
            let id = Example.id(number)
            try await Example.plan(ledger, id, batches: [1], mailing: mailing)
            if number >= 50 {
                _ = try await ledger.setState(id, to: number % 2 == 0 ? .stopped : .failed, from: [.sending], reason: .none, now: now)
            }
            if number >= 50, number % 2 == 0 { _ = try await ledger.stopOpen(id, now: now) }
        }
        #expect(try await ledger.work().count == 50)
        var least = Double.infinity
        for _ in 0..<40 {
            var before = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before)
            _ = try await ledger.work()
            var after = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after)
            least = min(least, Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9)
        }
        // 0.3 ms (SQLite) without other tests beside it.
        #expect(least < 0.003)
    }
}
