import Logging
import Model
import Policy
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// The life of a batch from its lease to its closing report, through the shells that deliver it: `BatchDelivery` and `GroupDelivery`.
@Suite(.timeLimit(.minutes(5)))
struct BatchDeliveryTests {
    private let server: RedisServer
    private let broker: Broker

    init() async throws {
        server = try await RedisServer()
        broker = ScriptedWorker.broker(server)
    }

    @Test func whoeverIsAcceptedIsStartedOnceAndHasOneResult() async throws {
        let run = try await ScriptedWorker(broker) { _, _ in .response(.accepted) }
        try await run.deliver(try await run.batch(40))
        let told = try await run.groups()
        #expect(told.flatMap(\.results).map(\.index).sorted() == Array(0..<40))
        #expect(told.flatMap(\.results).allSatisfy { $0.state == .sent && $0.attempts == 1 })
        #expect(told.filter { $0.closing == .done }.map(\.groups) == [told.count])
        #expect(run.transport.starts.count == 40 && run.transport.starts.values.allSatisfy { $0 == 1 })
        #expect(try await run.worker.queue.lanes().isEmpty)
    }

    @Test func aRetryThatIsDueSoonWaitsInTheWorkerAndIsToldOnce() async throws {
        let run = try await ScriptedWorker(broker) { recipient, start in
            recipient == ScriptedWorker.address(1) && start == 1 ? .response(.refusedForNow) : .response(.accepted)
        }
        let begun = run.manual.clocks.milliseconds
        try await run.deliver(try await run.batch(3))
        let told = try await run.groups()
        let results = told.flatMap(\.results).sorted { $0.index < $1.index }
        #expect(results.map(\.state) == [.sent, .sent, .sent] && results.map(\.attempts) == [1, 2, 1])
        #expect(told.last?.closing == .done && run.transport.starts[ScriptedWorker.address(1)] == 2)
        // Nobody waited but by the clocks that were moved.
        #expect(results[1].at - begun <= 2_000)
    }

    @Test func nothingStartsAfterTheLeaseAndWhoIsNotStartedGoesBack() async throws {
        let manual = ManualClocks()
        let run = try await ScriptedWorker(broker, manual) { recipient, _ in
            // The process is frozen while the third is in flight.
            if recipient == ScriptedWorker.address(2) { manual.pass(ScriptedWorker.lease) }
            return .response(.accepted)
        }
        try await run.deliver(try await run.batch(20))
        let told = try await run.groups()
        #expect(told.flatMap(\.results).map(\.index).sorted() == [0, 1, 2])
        #expect(told.last?.closing == .released && run.transport.problems == [])
        #expect(run.transport.starts.count == 3 && !run.worker.lease.isHeld)
    }

    @Test func anotherWorkersBatchIsLeftAlone() async throws {
        let run = try await ScriptedWorker(broker) { _, _ in .response(.accepted) }
        let delivery = try await run.batch(5)
        // This worker was frozen, and Redis has ended its lease.
        let registry = WorkerRegistry(broker)
        _ = try await registry.renew("a", lease: .milliseconds(1), condition: .clean, losses: 0, isKnown: true)
        let dead = try await eventually { try await registry.all().workers.first { $0.worker == "a" && !$0.isAlive } }
        _ = try await registry.renew("b", lease: .seconds(250), condition: .clean, losses: 0, isKnown: false)
        #expect(try await run.worker.queue.takeOver(dead, worker: "b", count: 4).count == 1)
        try await run.deliver(delivery)
        #expect(run.transport.starts.isEmpty && delivery.batch.isEnded)
        #expect(try await run.groups().allSatisfy { $0.results.isEmpty && $0.closing == .open })
        #expect(try await run.worker.queue.lanes().count == 1)
    }

    @Test func aMessageThatMayHaveArrivedIsListed() async throws {
        for policy in [Mailing.UncertainPolicy.redeliver, .hold] {
            let run = try await ScriptedWorker(broker, name: "\(policy)", { $0.uncertain = policy }) { recipient, _ in
                recipient == ScriptedWorker.address(0) ? .response(.lost) : .response(.accepted)
            }
            try await run.deliver(try await run.batch(2))
            let told = try await run.groups()
            let states = told.flatMap(\.results).filter { $0.index == 0 }
            // The list comes first: a second message goes out only once the collector knows of it.
            #expect(states.map(\.state) == (policy == .hold ? [.uncertain] : [.uncertain, .deferred]))
            #expect(states.map(\.settles) == (policy == .hold ? [true] : [false, true]) && told.last?.closing == .done)
            #expect(run.transport.starts[ScriptedWorker.address(0)] == 1)
        }
    }

    @Test func whoseLifetimeEndsWhileItWaitsExpires() async throws {
        let manual = ManualClocks()
        let run = try await ScriptedWorker(broker, manual) { recipient, _ in
            if recipient == ScriptedWorker.address(3) { manual.pass(.seconds(60)) }
            return .response(.accepted)
        }
        try await run.deliver(try await run.batch(12, lifetime: .seconds(60)))
        let told = try await run.groups()
        let sent = told.flatMap(\.results).filter { $0.state == .sent }.map(\.index)
        let expired = told.flatMap(\.results).filter { $0.state == .expired }.map(\.index)
        // Groups that were with the provider at that moment are sent, too.
        #expect(sent.contains(3) && (sent + expired).sorted() == Array(0..<12), "\(sent) \(expired)")
        #expect(told.last?.closing == .done)
    }

    @Test func aBatchIsClosedOnlyOnceItsLateResponsesHaveCome() async throws {
        let run = try await ScriptedWorker(broker) { recipient, _ in
            recipient == ScriptedWorker.address(1) ? .late(.accepted) : .response(.accepted)
        }
        try await run.deliver(try await run.batch(9))
        let told = try await run.groups()
        #expect(told.flatMap(\.results).count == 9 && told.last?.closing == .done)
        // Others went on meanwhile.
        #expect(run.transport.groups.count > 1 && run.transport.lateCount == 0)
    }

    @Test func aHaltLetsTheGroupEndAndTheRestGoBack() async throws {
        let run = try await ScriptedWorker(broker) { recipient, _ in
            recipient == ScriptedWorker.address(2)
                ? .response(ProviderResponse(action: .pauseMailing, stage: .auth, code: 535, text: "bad credentials"))
                : .response(.accepted)
        }
        try await run.deliver(try await run.batch(30))
        let told = try await run.groups()
        #expect(told.last?.closing == .released && !run.mailing.isSending)
        #expect(run.worker.nextHalt?.mailing == run.mailing.id)
        let counts = Dictionary(grouping: told.flatMap(\.results).filter(\.settles), by: \.index).mapValues(\.count)
        #expect(counts.values.allSatisfy { $0 == 1 } && counts.count < 30)
    }

    /// One group by itself, as `BatchDelivery` begins it.
    @Test func aGroupGivesItsPlaceBackHoweverItEnds() async throws {
        for outcome in [ScriptedTransport.Outcome.response(.accepted), .response(.refused), .unsent] {
            let run = try await ScriptedWorker(broker) { _, start in start > 3 ? .response(.accepted) : outcome }
            let delivery = try await run.batch(4)
            let pool = try #require(run.mailing.kinds(of: delivery.open, delivery.recipients).first?.0)
            let turn = try #require(await delivery.turn(4, pool, isFresh: true))
            await run.mailing.link.limiter.acquire()
            await GroupDelivery(batch: delivery, pool: pool, share: delivery.share).run([0, 1, 2, 3], turn)
            // It would wait for ever.
            await run.mailing.link.limiter.acquire()
            run.mailing.link.limiter.release()
            #expect(delivery.state.withLock { state in (0..<4).allSatisfy { state.phase(of: $0) == .settled } })
            await delivery.run()
            #expect(try await run.groups().flatMap(\.results).map(\.index).sorted() == [0, 1, 2, 3])
        }
    }

    @Test func aGroupThatMayNotStartLeavesNoMark() async throws {
        let run = try await ScriptedWorker(broker) { _, _ in .response(.accepted) }
        let delivery = try await run.batch(3)
        let pool = try #require(run.mailing.kinds(of: delivery.open, delivery.recipients).first?.0)
        let turn = try #require(await delivery.turn(3, pool, isFresh: true))
        // A person has paused the mailing: Redis alone knows of it.
        try await PublishedMailings(broker).publish(
            [.init(id: run.mailing.id, definition: run.mailing.mailing, state: .paused, speed: "")], fencingToken: ScriptedWorker.token)
        await run.mailing.link.limiter.acquire()
        await GroupDelivery(batch: delivery, pool: pool, share: delivery.share).run([0, 1, 2], turn)
        #expect(run.transport.starts.isEmpty && delivery.state.isEnded)
        let marks = try #require(try await run.worker.queue.marks(delivery.lease))
        #expect((0..<3).allSatisfy { marks[$0] == .notStarted })
        await delivery.run()
        #expect(try await run.groups().map(\.closing) == [.released])
    }
}
