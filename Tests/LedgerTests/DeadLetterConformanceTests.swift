import Ledger
import Model
import TestServers
import Testing

/// What could not be read is kept, and leaves nobody open for good.
@Suite struct DeadLetterConformanceTests {
    let id = Example.id()
    let now = Example.start

    private func letter(_ entry: Int, source: DeadLetter.Source = .status(1), batch: Int? = 0) -> DeadLetter {
        var letter = DeadLetter(
            source: source, entry: "\(entry)-0", reason: "no sense",
            fields: [.init(name: "d", value: [0, 255, 10]), .init(name: "m", value: [])])
        letter.at = now
        letter.mailing = id
        letter.batch = batch
        letter.dispatchNumber = 1
        return letter
    }

    private func keep(_ letters: [DeadLetter], _ ledger: any LedgerStore) async throws {
        _ = try await ledger.write(groups: [], events: [], letters: letters, now: now)
    }

    /// Of those beyond the bounds, in number or in bytes, it is known how many there were.
    @Test(arguments: Engine.all) func nothingIsLostUncounted(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await keep((0..<12_000).map { letter($0, source: [.status(1), .foreign, .events(1), .foreign][$0 % 4]) }, ledger)
        #expect(try await ledger.discardedDeadLetters() == [.status: 500, .events: 500, .foreign: 1_000])
        #expect(try await ledger.deadLetterCount() == 12_000)
        #expect(try await ledger.deadLetters(after: nil, limit: 1).map(\.letter.entry) == ["2000-0"])
        let large = (0..<40).map { number in
            var large = letter(20_000 + number)
            large.fields = [.init(name: "d", value: [UInt8](repeating: 1, count: 2 << 20))]
            return large
        }
        try await keep(large, ledger)
        let kept = try await ledger.deadLetters(after: nil, limit: 20_000)
        #expect(kept.count < 40 && kept.count > 30 && kept.last?.letter.entry == "20039-0")
        #expect(try await ledger.deadLetterCount() == 12_040)
        #expect(try await ledger.dropDeadLetters(nil, note: nil, now: now) == 12_040)
        #expect(try await ledger.deadLetterCount() == 0)
    }

    @Test(arguments: Engine.all) func itIsKnownWhereALetterIsFrom(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let sources: [DeadLetter.Source] = [
            .status(2), .events(1), .receipts, .lane(Lane(channel: .email, provider: "events:1")), .foreign,
        ]
        try await keep(sources.enumerated().map { letter($0, source: $1) }, ledger)
        #expect(try await ledger.deadLetters(after: nil, limit: 9).map(\.letter.source) == sources)
    }

    @Test(arguments: Engine.all) func lettersAreKeptOnceWithTheirBytes(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await keep([letter(1), letter(2), letter(1)], ledger)
        try await keep([letter(2)], ledger)
        let list = try await ledger.deadLetters(after: nil, limit: 9)
        #expect(list.map(\.letter.entry) == ["1-0", "2-0"] && list.allSatisfy { $0.retried == nil && $0.bytes == 5 })
        #expect(try await ledger.deadLetter(list[0].id)?.letter == letter(1))
        #expect(try await ledger.deadLetters(after: list[0].id, limit: 9).map(\.id) == [list[1].id])
        #expect(try await ledger.deadLetterCount() == 2)
        #expect(try await ledger.noteRetry(list[0].id, note: nil, now: now + 1))
        #expect(try await ledger.deadLetterCount() == 1)
        #expect(try await ledger.dropDeadLetters([list[1].id, 77], note: AuditNote(.drop, actor: "ann"), now: now) == 1)
        #expect(try await ledger.dropDeadLetters(nil, note: nil, now: now) == 1)
        #expect(try await ledger.audit(AuditFilter(), limit: 5).map(\.object) == [.deadLetters([list[1].id, 77])])
        #expect(try await ledger.deadLetter(list[0].id) == nil)
    }

    /// The closing group of a dispatch came, and one of its groups had a result that could not be read.
    @Test(arguments: Engine.all, [Mailing.UncertainPolicy.hold, .redeliver])
    func whoseResultCannotBeReadIsUncertain(engine: Engine, policy: Mailing.UncertainPolicy) async throws {
        for closing in [ResultGroup.Closing.done, .released] {
            let folder = try TemporaryFolder()
            let ledger = try await engine.open(folder)
            var mailing = Example.mailing()
            mailing.uncertain = policy
            try await Example.plan(ledger, batches: [4], mailing: mailing)
            _ = try await ledger.dispatchBatches([(id, 1)], now: now)
            var partial = resultGroup(groups: 1, [sent(0), sent(1)])
            partial.isPartial = true
            _ = try await ledger.write(groups: [partial], events: [], now: now)
            let summary = try await ledger.write(
                groups: [resultGroup(sequence: 1, closing: closing, groups: 2, [sent(2)])], events: [], now: now)
            #expect(summary.closed.count == 1 && summary.over.count == 1)
            let list = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9)
            #expect(list.map(\.index) == [3] && list.allSatisfy { $0.listing.isHeld == (policy == .hold) })
            #expect(try await ledger.recount(id) == [])
            let again = try await ledger.dispatchBatches([(id, 1)], now: now + 1)
            #expect(again.first?.open?.map(\.index) == (policy == .hold ? nil : [3]))
            // A release that can read the group tells what became of everybody.
            _ = try await ledger.write(groups: [resultGroup(groups: 1, [sent(0), sent(1), sent(3)])], events: [], now: now)
            #expect(try await ledger.progress(id)?[.sent] == 4)
            #expect(try await ledger.recount(id) == [])
        }
    }

    /// Without the group that could not be read, a closing group that overtook others would end the dispatch too soon.
    @Test(arguments: Engine.all) func aPartialGroupDoesNotEndADispatchBeforeAllGroupsAreIn(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        var partial = resultGroup(groups: 1, [])
        partial.isPartial = true
        let closing = resultGroup(sequence: 2, closing: .done, groups: 3, [sent(2)])
        #expect(try await ledger.write(groups: [partial, closing], events: [], now: now).closed.isEmpty)
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9).isEmpty)
        #expect(try await ledger.write(groups: [resultGroup(sequence: 1, groups: 2, [sent(1)])], events: [], now: now).closed.count == 1)
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9).map(\.index) == [0])
    }

    @Test(arguments: Engine.all) func aBatchThatNoWorkerCanReadIsHeldAfterThree(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2, 1])
        for round in 1...3 {
            #expect(try await ledger.dispatchBatches([(id, 1)], now: now).map(\.dispatchNumber) == [round])
            try await keep([letter(round, source: .lane(Lane(channel: .email, provider: "p")))], ledger)
            _ = try await ledger.write(
                groups: [resultGroup(dispatchNumber: round, closing: .released, groups: 1, [])], events: [], now: now)
        }
        // The other batch continues.
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now).map(\.id.number) == [1])
        let held = try await ledger.uncertain(id, onlyHeld: true, after: nil, limit: 9)
        #expect(held.map(\.index) == [0, 1] && held.allSatisfy { $0.batch == 0 })
        #expect(try await ledger.recount(id) == [])
        // After an upgrade a person has it sent.
        for item in try await ledger.deadLetters(after: nil, limit: 9) { _ = try await ledger.noteRetry(item.id, note: nil, now: now) }
        #expect(try await ledger.decide(id, recipients: nil, as: .resend, now: now).count == 2)
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now).map(\.id.number) == [0])
    }
}
