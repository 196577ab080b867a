import Model
import Testing

@testable import Collecting

@Suite struct CollectorStateTests {
    private let start = ContinuousClock.now

    /// A collector of the mailings' own ledger that has nothing to do.
    private func idle(at now: ContinuousClock.Instant) -> CollectorState {
        var state = CollectorState(limit: 200, at: now)
        #expect(state.next(at: now, isStopping: false) == .checkOwner)
        let note1 = state.note(owner: .ours)
        #expect(note1)
        #expect(state.next(at: now, isStopping: false) == .readUnconfirmed)
        state.note(0, of: .readUnconfirmed, at: now)
        #expect(state.next(at: now, isStopping: false) == .claimAbandoned)
        state.note(0, of: .claimAbandoned, at: now)
        return state
    }

    @Test func beforeItReadsAnythingItLooksWhoseTheMailingsAre() {
        var state = CollectorState(limit: 200, at: start)
        for owner in [CollectorState.Owner.nobody, .another, .nobody] {
            #expect(state.next(at: start, isStopping: false) == .checkOwner)
            let note2 = state.note(owner: owner)
            #expect(note2)
            #expect(state.next(at: start, isStopping: false) == .waitForOwner(owner))
            state.noteWait()
        }
        #expect(state.next(at: start, isStopping: false) == .checkOwner)
        let note3 = state.note(owner: .another)
        #expect(note3)
        #expect(state.next(at: start, isStopping: true) == .end)
    }

    @Test func anIdleOneBlocksUntilItsNextPatrol() {
        var state = idle(at: start)
        #expect(state.next(at: start, isStopping: false) == .read(atMost: .seconds(5)))
        state.note(0, of: .read(atMost: .seconds(5)), at: start + .seconds(5))
        #expect(state.next(at: start + .seconds(5), isStopping: false) == .checkOwner)
        let note4 = state.note(owner: .ours)
        #expect(note4)
        #expect(state.next(at: start + .seconds(5), isStopping: false) == .claimAbandoned)
    }

    @Test func aLoneResultIsWrittenAtOnce() {
        var state = idle(at: start)
        state.note(1, of: .read(atMost: .seconds(5)), at: start + .seconds(2))
        #expect(state.next(at: start + .seconds(2), isStopping: false) == .checkOwner)
        let note5 = state.note(owner: .ours)
        #expect(note5)
        #expect(state.next(at: start + .seconds(2), isStopping: false) == .write)
    }

    @Test func whereResultsArriveFastASmallHarvestWaitsForMoreOnce() {
        var state = idle(at: start)
        var now = start
        for _ in 0..<100 {
            now += .milliseconds(5)
            state.note(3, of: .read(atMost: .seconds(5)), at: now)
            _ = state.note(owner: .ours)
            state.noteWritten()
        }
        now += .milliseconds(5)
        state.note(3, of: .read(atMost: .seconds(5)), at: now)
        #expect(state.next(at: now, isStopping: false) == .readMore(after: .milliseconds(25)))
        now += .milliseconds(25)
        state.note(15, of: .readMore(after: .milliseconds(25)), at: now)
        #expect(state.next(at: now, isStopping: false) == .checkOwner)
        _ = state.note(owner: .ours)
        #expect(state.next(at: now, isStopping: false) == .write && state.inHand == 18)
        // A large one does not wait.
        state.noteWritten()
        state.note(100, of: .read(atMost: .seconds(5)), at: now)
        #expect(state.next(at: now, isStopping: false) == .checkOwner)
        // The first after a silence does not wait either.
        state.noteWritten()
        now += .seconds(3)
        state.note(2, of: .read(atMost: .seconds(5)), at: now)
        #expect(state.next(at: now, isStopping: false) == .checkOwner)
    }

    @Test func whatWasReadOfAnotherLedgerStaysInRedis() {
        var state = idle(at: start)
        state.note(7, of: .read(atMost: .seconds(5)), at: start + .seconds(1))
        let note6 = state.note(owner: .another)
        #expect(!note6)
        #expect(state.inHand == 0)
        #expect(state.next(at: start + .seconds(1), isStopping: false) == .waitForOwner(.another))
        state.noteWait()
        let note7 = state.note(owner: .ours)
        #expect(note7)
        #expect(state.next(at: start + .seconds(1), isStopping: false) == .readUnconfirmed)
    }

    @Test func anotherRunOfTheServerMayBringBackWhatWasRead() {
        var state = idle(at: start)
        let run1 = state.note(run: "a")
        #expect(run1)
        state.note(0, of: .readUnconfirmed, at: start)
        let run2 = state.note(run: "a")
        #expect(!run2)
        let run3 = state.note(run: "b")
        #expect(run3)
        #expect(state.next(at: start, isStopping: false) == .readUnconfirmed)
    }

    @Test func atTheEndItReadsUntilNothingIsLeft() {
        var state = idle(at: start)
        #expect(state.next(at: start, isStopping: true) == .readRest)
        state.note(200, of: .readRest, at: start)
        #expect(state.next(at: start, isStopping: true) == .write)
        state.noteWritten()
        #expect(state.next(at: start, isStopping: true) == .readRest)
        state.note(0, of: .readRest, at: start)
        #expect(state.next(at: start, isStopping: true) == .end)
    }

    /// A Redis as a collector sees it.
    private struct Model {
        var waiting = 0
        var unconfirmed = 0
        var written = 0
        var owner = CollectorState.Owner.nobody
        /// The owner was looked at, and was ours, since entries were last waited for.
        var isSure = false

        /// Does what a step says.
        /// - Returns: the entries that it read.
        mutating func take(_ step: CollectorState.Step, of state: inout CollectorState, isStopping: Bool) -> Int {
            var count = 0
            switch step {
            case .checkOwner:
                isSure = owner == .ours
                if !state.note(owner: owner) { #expect(state.inHand == 0) }
            case .waitForOwner(let owner):
                #expect(owner != .ours)
                state.noteWait()
            case .readUnconfirmed:
                #expect(state.inHand == 0)
                count = min(10, unconfirmed)
            case .claimAbandoned: count = 0
            case .read(let time):
                #expect(time > .zero && time <= CollectorState.abandonedInterval && !isStopping)
                isSure = false
                fallthrough
            case .readMore, .readRest:
                count = min(10, waiting)
                waiting -= count
                unconfirmed += count
            case .write:
                #expect(isSure && state.inHand > 0 && state.inHand <= unconfirmed)
                unconfirmed -= state.inHand
                written += state.inHand
                state.noteWritten()
            case .end: #expect(isStopping)
            }
            return count
        }
    }

    /// Whatever happens in whatever order: nothing is written that may be another ledger's, and all that is ours is written.
    @Test(arguments: 0..<50) func nothingIsLostAndNothingOfOthersIsTaken(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var now = start
        var state = CollectorState(limit: 10, at: now)
        var model = Model()
        var arrived = 0
        var quiet = 0
        var isStopping = false
        for round in 0..<3000 {
            now += .microseconds(Int.random(in: 1...3000, using: &generator))
            if round < 2000 {
                let more = Int.random(in: 0..<20, using: &generator) < 3 ? Int.random(in: 1...30, using: &generator) : 0
                arrived += more
                model.waiting += more
                if Int.random(in: 0..<50, using: &generator) == 0 {
                    model.owner = [.ours, .ours, .nobody, .another].randomElement(using: &generator) ?? .ours
                }
            } else {
                model.owner = .ours
                isStopping = round > 2500
            }
            if round < 2000, Int.random(in: 0..<30, using: &generator) == 0 {
                // The connection broke: what was in hand is unconfirmed.
                state.noteFailure()
                model.isSure = false
                continue
            }
            if Int.random(in: 0..<100, using: &generator) == 0, round < 2000, state.inHand == 0 { _ = state.note(run: "\(round)") }
            let step = state.next(at: now, isStopping: isStopping)
            let count = model.take(step, of: &state, isStopping: isStopping)
            if step == .end { quiet += 1 }
            state.note(count, of: step, at: now)
            if quiet > 0 { break }
        }
        #expect(quiet == 1 && model.written == arrived && model.unconfirmed == 0 && model.waiting == 0)
    }
}
