import Logging
import Model
import Policy
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// Batches through whatever a provider, a clock and a person do, in any order that a seed draws.
@Suite(.timeLimit(.minutes(5)))
struct RandomDeliveryTests {
    /// What happens while a batch is delivered, drawn from a seed.
    private final class Draw: Sendable {
        private let random: Mutex<SeededGenerator>
        private let manual: ManualClocks

        init(_ seed: UInt64, _ manual: ManualClocks) {
            random = Mutex(SeededGenerator(seed: seed))
            self.manual = manual
        }

        func int(_ range: Range<Int>) -> Int { random.withLock { Int.random(in: range, using: &$0) } }

        /// What becomes of a message. Time may pass over it, also beyond the lease.
        func outcome() -> ScriptedTransport.Outcome {
            switch int(0..<100) {
            case 0..<2: manual.pass(.seconds(40))
            case 2: manual.pass(.seconds(300))
            default: break
            }
            return switch int(0..<20) {
            case 0..<10: .response(.accepted)
            case 10, 11: .response(.refused)
            case 12, 13: .response(.refusedForNow)
            case 14: .response(.noConnection)
            case 15: .response(.lost)
            case 16: .late(int(0..<2) == 0 ? .accepted : .lost)
            case 17: .late(nil)
            case 18: .unsent
            default: .response(ProviderResponse(action: .slowDown, stage: .rcpt, code: 451, text: "slower, please"))
            }
        }
    }

    private let server: RedisServer
    private let broker: Broker

    init() async throws {
        server = try await RedisServer()
        broker = ScriptedWorker.broker(server)
    }

    @Test func nobodyGetsTwoResultsNobodyStartsAfterTheLeaseAndNobodyIsForgotten() async throws {
        for seed in 0..<60 as Range<UInt64> {
            let problems = try await problems(seed: seed)
            for problem in problems { Issue.record("seed \(seed): \(problem)") }
        }
    }

    /// Delivers a batch.
    /// - Returns: what must not be, and was.
    private func problems(seed: UInt64) async throws -> [String] {
        let manual = ManualClocks()
        let draw = Draw(seed, manual)
        let count = draw.int(1..<60)
        let policy: Mailing.UncertainPolicy = draw.int(0..<2) == 0 ? .redeliver : .hold
        let run = try await ScriptedWorker(
            broker, manual, name: "w\(seed)", connections: draw.int(1..<4), { $0.uncertain = policy }
        ) { _, _ in draw.outcome() }
        let delivery = try await run.batch(count, lifetime: .seconds(draw.int(0..<3) == 0 ? 60 : 86_400))
        try await run.deliver(delivery) {
            // Somebody stops the worker or halts the mailing, now and then, and the lease is renewed.
            switch draw.int(0..<40) {
            case 0: run.worker.stop()
            case 1: run.worker.refused(run.mailing, "a person's order")
            case 2..<6: if run.worker.lease.isHeld { try await run.renew() }
            default: break
            }
        }
        let told = try await run.groups()
        await run.end()
        return run.transport.problems + judge(told, count, policy, run.transport)
    }

    /// What must hold of the reports of one dispatch.
    private func judge(
        _ told: [ResultGroup], _ count: Int, _ policy: Mailing.UncertainPolicy, _ transport: ScriptedTransport
    ) -> [String] {
        var problems: [String] = []
        let results = told.flatMap(\.results)
        let settled = Dictionary(grouping: results.filter(\.settles), by: \.index)
        let listed = Set(results.filter { $0.state == .uncertain }.map(\.index))
        for (index, some) in settled where some.count > 1 { problems.append("\(index) has \(some.count) results: \(some.map(\.state))") }
        let closings = told.filter { $0.closing != .open }
        if closings.count != 1 { problems.append("closed \(closings.count) times") }
        if let closing = closings.first {
            if closing.groups != told.count { problems.append("\(closing.groups) groups are counted, and \(told.count) came") }
            if (closing.closing == .done) != (settled.count == count) {
                problems.append("closed as \(closing.closing) with \(settled.count) of \(count) results")
            }
        }
        for index in 0..<count where transport.mayHave.contains(ScriptedWorker.address(index)) {
            let states = settled[index]?.map(\.state) ?? []
            if !states.contains(.sent), !listed.contains(index) {
                problems.append("\(index) may have its message, and nothing tells of it")
            }
        }
        for (index, some) in settled where some.contains(where: { $0.state == .sent }) {
            if transport.starts[ScriptedWorker.address(index)] == nil { problems.append("\(index) is sent, and was never started") }
        }
        if policy == .hold, results.contains(where: { $0.state == .uncertain && $0.due > 0 }) {
            problems.append("somebody is sent to again, though the mailing holds the uncertain")
        }
        return problems
    }
}
