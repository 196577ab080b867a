import Model
import TestServers
import Testing

@testable import Broker

/// The scripts decode what Redis holds. Whatever another program writes there: no error comes again and again, and the fleet continues.
@Suite(.timeLimit(.minutes(5)))
struct ScriptFuzzTests {
    /// A key, and what another program does to it.
    private struct Blow {
        var key: String
        var commands: [[RedisArgument]]
    }

    private let fleet: TestFleet
    private var broker: Broker { fleet.broker }
    private let scope = LimitScope.provider("p")

    init() async throws { fleet = try await TestFleet() }

    /// A fleet at work: with batches that are ready, taken, started and reported, and a value under every key.
    private func setUp() async throws -> Epoch {
        _ = try await broker.redis.send(["FLUSHALL"])
        let epoch = try await fleet.begin()
        try await fleet.publish()
        try await PublishedLimits(broker).publishLimits(["provider:p": "5/s"], fencingToken: fleet.token)
        for worker in ["a", "b"] { try await fleet.renew(worker, isKnown: false) }
        try await fleet.registry.admit(["a", "b"])
        try await fleet.dispatch((0..<3).map { fleet.batch($0) }, epoch: epoch)
        let leases = try await fleet.take(count: 2)
        _ = try await fleet.queue.start(leases[0], fleet.open(0..<4))
        _ = try await fleet.queue.report(fleet.group(leases[0], 0, .open, fleet.sent(0..<2)), of: leases[0])
        let rates = AdaptiveRateStore(broker, interval: 1)
        for _ in 0..<2 {
            let (_, judged) = try await rates.observe(scope, answered: 1, throttled: 1, started: 1, pause: 0.001)
            if let judged { try await rates.steer(scope, judged, state: "{}", interval: 1000) }
        }
        _ = try await Throttle(broker).reserve(3, in: [.init(scope, interval: 1000, burst: 5)], horizon: .seconds(1))
        _ = try await Throttle(broker).turn(1000, in: scope, interval: 1_000_000)
        try await heartbeat()
        _ = try await fleet.epochs.note(commits: 5, of: "ledger")
        try await fleet.registry.claim([Dispatch(batch: BatchID(mailing: fleet.id, number: 0), dispatchNumber: 1)], by: "a")
        try await fleet.status.send(MailingHalt(.unsendable, "no"), of: fleet.id)
        let halt = try await fleet.status.read(consumer: "c", count: 100, block: nil).filter {
            if case .halt = $0.payload { true } else { false }
        }
        try await fleet.status.confirm(halt, replay: Replay(ledger: "ledger", standing: "here", time: .seconds(9)))
        _ = try await fleet.renew("a", lease: .zero)
        try await fleet.renew("a")
        return epoch
    }

    /// The errors of a round that are no state of affairs.
    private final class RoundErrors {
        private(set) var all: [RedisError] = []

        func step(_ body: () async throws -> Void) async throws {
            do { try await body() } catch let error as RedisError {
                switch error {
                case .command, .unexpected: all.append(error)
                default: break
                }
            }
        }
    }

    /// What the roles do in a second.
    /// - Returns: the errors that are no state of affairs, the epoch that holds then, and whether a batch was sent.
    private func round(_ number: Int, believed: Epoch) async throws -> (errors: [RedisError], epoch: Epoch, isSent: Bool) {
        let errors = RoundErrors()
        let epoch = try await lead(errors, believed: believed)
        try await renewLeases(errors)
        try await inspect(errors)
        let isSent = try await deliver(errors, fleet.batch(10 + number, dispatchNumber: 2), epoch)
        try await throttle(errors)
        try await collect(errors)
        try await takeBack(errors, number, epoch)
        return (errors.all, epoch, isSent)
    }

    /// The dispatcher leads and publishes.
    /// - Returns: the epoch that holds.
    private func lead(_ errors: RoundErrors, believed: Epoch) async throws -> Epoch {
        var epoch = believed
        try await errors.step {
            let found = try await fleet.epochs.hold(fleet.token, time: .seconds(300))
            if found.epoch != believed { epoch = try await fleet.epochs.establish(after: found, fencingToken: fleet.token) ?? believed }
        }
        try await errors.step { try await broker.setPartitions() }
        try await errors.step { try await broker.check() }
        try await errors.step { try await fleet.publish() }
        try await errors.step { try await PublishedLimits(broker).publishLimits(["provider:p": "6/s"], fencingToken: fleet.token) }
        try await errors.step { _ = try await PublishedLimits(broker).limits() }
        try await errors.step { _ = try await fleet.queue.mayFail(3, of: fleet.id, most: 10) }
        try await errors.step { _ = try await fleet.published.order(fleet.id, state: .sending, speed: "") }
        try await errors.step { _ = try await fleet.published.definition(fleet.id) }
        try await errors.step { _ = try await fleet.published.controls(fleet.id) }
        return epoch
    }

    /// Workers renew their leases and take over from those that are lost.
    private func renewLeases(_ errors: RoundErrors) async throws {
        for worker in ["a", "b"] { try await errors.step { try await fleet.renew(worker) } }
        try await errors.step { try await fleet.renew("c", lease: .milliseconds(1)) }
        try await errors.step { try await fleet.registry.admit(["a", "b"]) }
        try await errors.step { _ = try await fleet.registry.count() }
        try await errors.step {
            let all = try await fleet.registry.all().workers
            _ = try await fleet.registry.holders(of: all.map(\.worker))
            _ = try await fleet.registry.claims(of: all.map(\.worker))
            for dead in all where !dead.isAlive {
                _ = try await fleet.queue.takeOver(dead, worker: "b", count: 9)
                try await fleet.registry.forget(dead.worker)
            }
        }
        try await errors.step { try await fleet.registry.claim([], by: "a") }
    }

    /// The dispatcher looks for keys that are lost.
    private func inspect(_ errors: RoundErrors) async throws {
        try await errors.step { _ = try await fleet.queue.inspect([fleet.lane], lease: .seconds(300)) }
        try await errors.step { _ = try await fleet.published.altered([fleet.id: .init(state: .sending, speed: "")]) }
        try await errors.step { _ = try await fleet.epochs.note(commits: 6, of: "ledger") }
        try await errors.step { _ = try await fleet.epochs.commits(of: "ledger") }
        try await errors.step { _ = try await fleet.epochs.reached([fleet.id]) }
    }

    /// A batch is dispatched, and a worker sends whatever it gets.
    /// - Returns: whether the batch was sent.
    private func deliver(_ errors: RoundErrors, _ batch: DispatchedBatch, _ epoch: Epoch) async throws -> Bool {
        var isSent = false
        try await errors.step { try await fleet.dispatch([batch], epoch: epoch) }
        try await errors.step { _ = try await fleet.queue.dispatched([fleet.id], epoch: epoch) }
        try await errors.step { _ = try await fleet.queue.dispatchedCounts([fleet.id]) }
        try await errors.step { _ = try await fleet.queue.lacking([(fleet.id, 1)]) }
        try await errors.step { _ = try await fleet.queue.entries([fleet.lane]) }
        try await errors.step { _ = try await fleet.queue.fullness([fleet.lane]) }
        try await errors.step { _ = try await fleet.queue.reclaim(worker: "a", known: [:]) }
        var leases: [BatchLease] = []
        try await errors.step { leases = try await fleet.take(count: 9) }
        for lease in leases {
            try await errors.step {
                guard try await fleet.queue.start(lease, fleet.open(0..<4)) == .go else { return }
                try await fleet.queue.unmark(lease, [3])
                _ = try await fleet.queue.marks(lease)
                _ = try await fleet.queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
                let receipt = try await fleet.queue.report(fleet.group(lease, 1, .done, fleet.sent(2..<10)), of: lease)
                if receipt != nil, lease.batch.id == batch.id { isSent = true }
            }
        }
        return isSent
    }

    /// A process has a mailing, which changes.
    private func heartbeat() async throws {
        var writer = HeartbeatWriter(broker, process: "w")
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h", process: 7, started: 1, cpu: 1, memory: 1)
        for waiting in 1...2 {
            heartbeat.mailings = ["m": .init(waiting: waiting)]
            try await writer.beat(heartbeat)
        }
    }

    /// Limits, adaptive rates and heartbeats.
    private func throttle(_ errors: RoundErrors) async throws {
        try await errors.step {
            let rates = AdaptiveRateStore(broker, interval: 1)
            let (_, judged) = try await rates.observe(scope, answered: 1, throttled: 1, started: 1, pause: 0.001)
            if let judged { try await rates.steer(scope, judged, state: "{}", interval: 1000) }
            _ = try await rates.snapshots(of: [scope])
        }
        try await errors.step {
            _ = try await Throttle(broker).reserve(2, in: [.init(scope, interval: 1000, burst: 5)], horizon: .seconds(1))
        }
        try await errors.step {
            let seconds = try await Throttle(broker).turn(1, in: scope, interval: 1000)
            #expect(seconds <= 86_401)
        }
        try await errors.step {
            try await heartbeat()
            _ = try await HeartbeatStore(broker).all()
            try await HeartbeatStore(broker).forget()
        }
    }

    /// A collector reads and confirms, and looks at what waits.
    private func collect(_ errors: RoundErrors) async throws {
        try await errors.step {
            let entries = try await fleet.status.read(consumer: "c", count: 100, block: nil)
            let over = entries.compactMap { entry -> Dispatch? in
                guard case .results(let group) = entry.payload else { return nil }
                return Dispatch(batch: group.batch, dispatchNumber: group.dispatchNumber)
            }
            try await fleet.status.confirm(entries, over: Set(over), replay: Replay(ledger: "ledger", standing: "here", time: .seconds(9)))
        }
        try await errors.step { _ = try await ReplayStreams(broker).putBack(ledger: "ledger", standing: "there") }
        try await errors.step { _ = try await fleet.status.readUnconfirmed(consumer: "c", count: 9) }
        try await errors.step { _ = try await fleet.status.claimAbandoned(by: "d", idle: .seconds(9), count: 9) }
        try await errors.step { _ = try await fleet.status.lag() }
        try await errors.step { _ = try await fleet.status.oldest() }
        try await errors.step { _ = try await fleet.queue.depths([fleet.lane]) }
        try await errors.step { _ = try await fleet.queue.inside([fleet.lane]) }
    }

    /// The dispatcher takes back what no worker has.
    private func takeBack(_ errors: RoundErrors, _ number: Int, _ epoch: Epoch) async throws {
        try await errors.step { _ = try await fleet.queue.recall([fleet.id], epoch: epoch, fencingToken: fleet.token) }
        try await errors.step {
            let dispatch = Dispatch(batch: BatchID(mailing: fleet.id, number: 999), dispatchNumber: number)
            _ = try await fleet.queue.withdraw(dispatch, epoch: epoch, fencingToken: fleet.token)
        }
        try await errors.step { try await fleet.registry.clearLanes(of: "a") }
    }

    /// Everything that another program could do to one value, for every key there is.
    private func blows(_ random: inout SeededGenerator) async throws -> [Blow] {
        var blows: [Blow] = []
        for key in try await broker.redis.scan("*").joined().sorted() {
            let kind = try #require(broker.keys.kind(of: key), "\(key) has no kind")
            let type = try await broker.redis.send(["TYPE", .text(key)]).text ?? ""
            // One that has expired meanwhile.
            if type == "none" { continue }
            #expect(type == kind.type, "\(key)")
            let wrong: [RedisArgument] = type == "string" ? ["RPUSH", .text(key), "1"] : ["SET", .text(key), "1"]
            blows.append(Blow(key: key, commands: [["DEL", .text(key)], wrong]))
            func texts(_ known: [UInt8]) -> [[UInt8]] {
                let numbers = [0, 1, 2].map { _ in Array((Mutation.numbers.randomElement(using: &random) ?? "").utf8) }
                return numbers + [Array("garbage".utf8), Mutation.spoil(known, using: &random), Mutation.spoil(known, using: &random)]
            }
            switch type {
            case "string":
                let known = try await broker.redis.send(["GET", .text(key)]).bytes ?? []
                for keep in ["KEEPTTL", "GET"] {
                    // What has the form of another ledger's leader holds until it expires.
                    let end: [[RedisArgument]] = key == broker.keys.leader && keep == "KEEPTTL" ? [["PEXPIRE", .text(key), "1"]] : []
                    blows += texts(known).map { Blow(key: key, commands: [["SET", .text(key), .bytes($0), .text(keep)]] + end) }
                }
            case "hash":
                let words = try await broker.redis.send(["HGETALL", .text(key)]).array ?? []
                for place in stride(from: 0, to: words.count - 1, by: 2) {
                    let field = RedisArgument.bytes(words[place].bytes ?? [])
                    blows += texts(words[place + 1].bytes ?? []).map {
                        Blow(key: key, commands: [["HSET", .text(key), field, .bytes($0)]])
                    }
                }
            case "set": blows.append(Blow(key: key, commands: [["SADD", .text(key), "garbage"]]))
            default:
                blows.append(Blow(key: key, commands: [["XADD", .text(key), "*", "k", "garbage"]]))
                // A stream without its group, and one that is empty.
                blows.append(Blow(key: key, commands: [["DEL", .text(key)], ["XADD", .text(key), "*", "k", "garbage"]]))
            }
        }
        return blows
    }

    @Test(arguments: [1, 2] as [UInt64])
    func nothingThatOthersWriteStopsTheFleet(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        _ = try await setUp()
        let blows = try await blows(&random)
        #expect(blows.count > 100)
        for blow in blows {
            var epoch = try await setUp()
            for case .error(let text) in try await broker.redis.pipeline(blow.commands) { throw RedisError.command(text) }
            var errors: [RedisError] = []
            var isSent = false
            for number in 0..<5 where !isSent || !errors.isEmpty {
                (errors, epoch, isSent) = try await round(number, believed: epoch)
            }
            #expect(errors.isEmpty && isSent, "\(blow.commands)")
        }
    }
}
