import Model
import Testing

@testable import Delivery

/// Which mailings a worker holds: the machine behind the mailing cache.
@Suite struct MailingCacheStateTests {
    private let start = ContinuousClock.now
    private let ids = (0..<4).map { number in
        var generator = SeededGenerator(seed: UInt64(number))
        return MailingID(milliseconds: Int64(number), using: &generator)
    }

    private func part(_ number: Int, _ channel: Channel = .email) -> MailingPart { MailingPart(ids[number], channel) }

    @Test func aMailingConnectsIsReadyAndIsRemoved() {
        var state = MailingCacheState<Int>()
        #expect(state.isIdle)
        state.connect(part(0), to: "p")
        #expect(!state.isIdle && state.connecting == [part(0): "p"])
        #expect(state.add(part(0), 7) == 7)
        #expect(state.connecting.isEmpty && state.ready == [part(0): 7])
        // Whoever waited for the same provider finds it ready.
        state.connect(part(0), to: "p")
        #expect(state.connecting.isEmpty)
        #expect(state.remove(ids[0]) == [7] && state.remove(ids[0]).isEmpty && state.isIdle)
    }

    @Test func eachChannelOfAMailingIsMadeReadyByItselfAndAllAreRemoved() {
        var state = MailingCacheState<Int>()
        state.connect(part(0), to: "p")
        #expect(state.add(part(0, .sms), 8) == 8 && state.connecting == [part(0): "p"])
        #expect(state.add(part(0), 7) == 7 && state.add(part(1), 9) == 9)
        #expect(state.known(among: [ids[0]]) == [ids[0]] && state.parts(of: ids[0]) == [7, 8])
        #expect(state.remove(ids[0]) == [7, 8] && state.ready == [part(1): 9])
    }

    @Test func ofTwoThatAreMadeReadyAtOnceTheFirstStays() {
        var state = MailingCacheState<Int>()
        for _ in 0..<2 { state.connect(part(0), to: "p") }
        #expect(state.add(part(0), 1) == 1 && state.add(part(0), 2) == 1 && state.ready == [part(0): 1])
    }

    @Test func onlySomeOrAllAreRefreshed() {
        var state = MailingCacheState<Int>()
        for number in 0..<3 { _ = state.add(part(number), number) }
        #expect(Set(state.known(among: nil)) == Set(ids.prefix(3)))
        #expect(Set(state.known(among: [ids[1], ids[3]])) == [ids[1]])
    }

    @Test func aDefinitionThatCannotBeReadIsAwaitedOnceMore() {
        var state = MailingCacheState<Int>()
        #expect(state.noteUnreadable(ids[0]) && !state.noteUnreadable(ids[0]) && state.noteUnreadable(ids[1]))
        // It was read: a later fault is another one.
        state.connect(part(0), to: "p")
        #expect(state.noteUnreadable(ids[0]) && !state.noteUnreadable(ids[1]))
    }

    @Test func aMailingThatEndsBeforeItsDefinitionIsReadAgainIsForgotten() {
        var state = MailingCacheState<Int>()
        #expect(state.noteUnreadable(ids[0]) && !state.isIdle)
        #expect(state.known(among: nil) == [ids[0]] && state.known(among: [ids[1]]).isEmpty)
        // A refresh finds that it is not published.
        #expect(state.remove(ids[0]).isEmpty && state.isIdle && state.known(among: nil).isEmpty)
    }

    @Test func theFleetIsAskedForAfterItsInterval() {
        var state = MailingCacheState<Int>()
        let interval = MailingCacheState<Int>.fleetInterval
        #expect(state.isFleetDue(at: start) && !state.isFleetDue(at: start + interval - .milliseconds(1)))
        #expect(state.isFleetDue(at: start + interval) && !state.isFleetDue(at: start + interval))
    }

    @Test func whateverHappensAllBatchesUseOneMailingAndNoneStaysThatHasEnded() {
        for seed in 0..<2_000 as Range<UInt64> {
            var run = CacheRun(seed: seed, ids: ids)
            for _ in 0..<120 where run.problem == nil { run.step() }
            run.finish()
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

/// Batches that make mailings ready, one step at a time, while mailings are published, paused and removed. It does what the shell does.
private struct CacheRun {
    /// A batch whose mailing connects to its provider.
    private struct Caller: Hashable {
        var id: MailingID
        var number: Int
    }

    private var random: SeededGenerator
    private var state = MailingCacheState<Int>()
    private let ids: [MailingID]
    /// What Redis has: whether the mailing is sent.
    private var published: [MailingID: Bool] = [:]
    private var connecting: [Caller] = []
    /// The mailing that batches use; nil after it was removed.
    private var used: [MailingID: Int] = [:]
    private var made = 0
    var problem: String?

    init(seed: UInt64, ids: [MailingID]) {
        random = SeededGenerator(seed: seed)
        self.ids = ids
    }

    mutating func step() {
        guard let id = ids.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1: published[id] = Int.random(in: 0..<4, using: &random) > 0
        case 2: published[id] = nil
        case 3,
            4 where connecting.count < 6:
            begin(id)
        case 5, 6:
            guard let place = connecting.indices.randomElement(using: &random) else { break }
            end(connecting.remove(at: place), isReached: Int.random(in: 0..<4, using: &random) > 0)
        case 7: refresh(Bool.random(using: &random) ? nil : [id])
        default: exchange()
        }
        check()
    }

    private mutating func begin(_ id: MailingID) {
        if let known = state.ready[MailingPart(id, .email)] { return use(id, known) }
        guard published[id] != nil else { return }
        state.connect(MailingPart(id, .email), to: "p")
        made += 1
        connecting.append(Caller(id: id, number: made))
    }

    private mutating func end(_ caller: Caller, isReached: Bool) {
        // It is tried again: the mailing still counts as connecting.
        guard isReached else { return }
        state.endConnecting(MailingPart(caller.id, .email))
        guard published[caller.id] != nil else { return }
        use(caller.id, state.add(MailingPart(caller.id, .email), caller.number))
    }

    private mutating func use(_ id: MailingID, _ mailing: Int) {
        if let known = used[id], known != mailing { problem = "two batches of mailing \(id) use \(known) and \(mailing)" }
        used[id] = mailing
    }

    private mutating func refresh(_ some: Set<MailingID>?) {
        for id in state.known(among: some) where published[id] == nil {
            if state.remove(id).isEmpty { problem = "\(id) was not there" }
            used[id] = nil
        }
        for id in state.ready.keys.map(\.mailing) where published[id] == nil && (some?.contains(id) ?? true) {
            problem = "\(id) stays after its end"
        }
    }

    private mutating func exchange() {
        for part in state.connecting.keys where published[part.mailing] != true { state.endConnecting(part) }
        if !state.connecting.keys.allSatisfy({ published[$0.mailing] == true }) {
            problem = "a mailing that is not sent waits for its provider"
        }
    }

    private mutating func check() {
        if !Set(state.ready.keys).isDisjoint(with: state.connecting.keys) { problem = "a mailing is ready and connects" }
        if state.isIdle != (state.ready.isEmpty && state.connecting.isEmpty) { problem = "isIdle" }
    }

    /// All mailings end.
    mutating func finish() {
        for caller in connecting { end(caller, isReached: true) }
        published = [:]
        refresh(nil)
        exchange()
        if !state.isIdle, problem == nil { problem = "something is left" }
    }
}
