import Model
import TestServers
import Testing

@testable import Broker

/// Who waits for work is woken. A lost event would be found here by a deadline of minutes, never by a measured time.
@Suite(.timeLimit(.minutes(5)))
struct WakeStreamTests {
    let fleet: TestFleet

    init() async throws { fleet = try await TestFleet(persists: true) }

    private func stream(for reader: WakeStream.Reader = .workers) async throws -> WakeStream {
        var stream = WakeStream(fleet.broker, for: reader)
        #expect(try await stream.next(atMost: .seconds(1)) == [.other])
        return stream
    }

    /// The next events, of whatever number; fails where none comes.
    private func next(_ stream: inout WakeStream) async throws -> [WakeEvent] {
        let events = try await stream.next(atMost: .seconds(120))
        #expect(!events.isEmpty)
        return events
    }

    /// Reads until an event has come, through errors too.
    private func wait(for event: WakeEvent, _ stream: inout WakeStream, doing action: () async throws -> Void) async throws -> Bool {
        for _ in 0..<200 {
            try? await action()
            if let events = try? await stream.next(atMost: .milliseconds(100)), events.contains(event) { return true }
        }
        return false
    }

    @Test func everyChangeWakesTheWorkers() async throws {
        var stream = try await stream()
        let epoch = try await fleet.begin()
        #expect(try await next(&stream) == [.epoch])
        // Once for all batches of a lane, or again where the script had to be loaded.
        try await fleet.dispatch([fleet.batch(0), fleet.batch(1)], epoch: epoch)
        #expect(Set(try await next(&stream).map { "\($0)" }) == ["\(WakeEvent.lane(fleet.lane))"])
        try await fleet.publish(.paused)
        #expect(try await next(&stream) == [.mailing(fleet.id)])
        try await PublishedLimits(fleet.broker).publishLimits([:], fencingToken: fleet.token)
        #expect(try await next(&stream) == [.limits])
        try await fleet.registry.admit(["a"])
        #expect(try await next(&stream) == [.admitted])
        // Who was admitted before wakes nobody.
        try await fleet.registry.admit(["a"])
        try await fleet.dispatch([fleet.batch(2)], epoch: epoch)
        #expect(try await next(&stream) == [.lane(fleet.lane)])
        await stream.close()
    }

    @Test func aReaderThatBlocksIsWoken() async throws {
        let stream = try await stream()
        let epoch = try await fleet.begin()
        async let woken = { () async throws -> [WakeEvent] in
            var stream = stream
            var events: [WakeEvent] = []
            while events.last != .lane(fleet.lane) { events += try await next(&stream) }
            return events
        }()
        try await eventually("a client blocks") {
            try await fleet.broker.redis.send(["INFO", "clients"]).text?.contains("blocked_clients:1") == true
        }
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        #expect(try await woken.last == .lane(fleet.lane))
        await stream.close()
    }

    @Test(arguments: TestFleet.Loss.allCases)
    func itGoesOnAfterALoss(how: TestFleet.Loss) async throws {
        var stream = try await stream()
        let epoch = try await fleet.begin()
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        _ = try await next(&stream)
        try await fleet.lose(how)
        #expect(try await wait(for: .epoch, &stream) { _ = try await fleet.begin() })
        await stream.close()
    }

    @Test func anEventOfANewerReleaseIsAReasonToLookAtEverything() async throws {
        var stream = try await stream()
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.wake), "*", "v", "9", "k", "weather", "n", "x"])
        #expect(try await next(&stream) == [.other])
        await stream.close()
    }

    @Test func theDispatcherIsToldOfLanesThatRunLow() async throws {
        let epoch = try await fleet.begin()
        try await fleet.dispatch((0..<4).map { fleet.batch($0) }, epoch: epoch)
        var demand = try await stream(for: .dispatcher)
        // Three are left behind one: enough.
        #expect(try await fleet.take().count == 1)
        #expect(try await demand.next(atMost: .milliseconds(20)).isEmpty)
        #expect(try await fleet.take(count: 2).count == 2)
        #expect(try await next(&demand) == [.lane(fleet.lane)])
        // An empty lane says nothing: it was told with its last batch.
        #expect(try await fleet.take(count: 2).count == 1)
        #expect(try await next(&demand) == [.lane(fleet.lane)])
        #expect(try await fleet.take(count: 2).isEmpty)
        #expect(try await demand.next(atMost: .milliseconds(20)).isEmpty)
        await demand.close()
    }

    @Test func theDispatcherIsToldOfAWorkerThatIsNewOrLeaves() async throws {
        _ = try await fleet.begin()
        var demand = try await stream(for: .dispatcher)
        try await fleet.renew("a", isKnown: false)
        #expect(try await next(&demand) == [.worker])
        try await fleet.registry.admit(["a"])
        try await fleet.renew("a")
        #expect(try await demand.next(atMost: .milliseconds(20)).isEmpty)
        try await fleet.renew("a", lease: .zero)
        #expect(try await next(&demand) == [.worker])
        await demand.close()
    }

    @Test func theStreamsStaySmall() async throws {
        let epoch = try await fleet.begin()
        await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3_000 { group.addTask { try await fleet.dispatch([fleet.batch(number)], epoch: epoch) } }
        }
        let length = try await fleet.broker.redis.send(["XLEN", .text(fleet.broker.keys.wake)]).int ?? 0
        #expect((1...1_200).contains(length))
    }
}
