import Model
import NIOCore
import Testing

@testable import Transport

@Suite struct ConnectBackoffTests {
    /// Workers whose provider refuses connections. Each tries one at a time, as soon as it may, as SMTP and HTTP do.
    @Test(arguments: [1, 4, 10, 100]) func aWholeFleetTriesAFewTimesASecond(workers: Int) {
        var generator = SeededGenerator(seed: 31)
        var fleet = Array(repeating: ConnectBackoff(), count: workers)
        var attempts: [Int: Int] = [:]
        for tick in 0..<6_000 {
            let now = NIODeadline.uptimeNanoseconds(1) + .milliseconds(Int64(tick) * 10)
            for worker in fleet.indices where !fleet[worker].holds(at: now) {
                attempts[tick / 100, default: 0] += 1
                fleet[worker].failed(at: now, jitter: Double.random(in: 0...1, using: &generator), fleet: workers)
            }
        }
        // The first second has the first attempt of each worker.
        #expect(attempts[0, default: 0] <= workers + 4)
        let later = (1..<60).map { attempts[$0, default: 0] }
        #expect(later.reduce(0, +) <= 4 * 59, "\(later)")
        // No clumps that a provider would notice: many workers draw their waits apart.
        #expect((later.max() ?? 0) <= 12, "\(later)")
    }
}
