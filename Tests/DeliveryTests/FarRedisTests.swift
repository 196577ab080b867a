import Policy
import Testing

@testable import Delivery

/// How much of a limit workers use, and that they never exceed it, however far Redis is.
@Suite struct FarRedisTests {
    private static let step = 500_000

    /// - Returns: the share of the limit that is used after three seconds, and the shortest time that a second's worth of starts took, in
    ///   seconds.
    private func use(_ text: String, workers count: Int, roundTrip: Duration) throws -> (share: Double, shortest: Double) {
        let rate = try RateLimit(text)
        let limit = ReservationCalendar.Limit(rate)
        var workers = (0..<count).map { _ in FarWorker(limit, roundTrip: roundTrip) }
        let (begin, counted, end) = (1_000_000_000 as Int64, 4_000_000_000 as Int64, 10_000_000_000 as Int64)
        var calendars = [ReservationCalendar(limit, now: Double(begin) / 1000, horizon: 0)]
        for now in stride(from: begin, to: end, by: Self.step) {
            for index in workers.indices { workers[index].step(now, &calendars) }
        }
        let starts = workers.flatMap(\.starts).sorted()
        let second = Int(rate.perSecond)
        let shortest = zip(starts.dropFirst(second), starts).map { $0 - $1 }.min() ?? 0
        let share = Double(starts.count { $0 >= counted }) * limit.interval * 1000 / Double(end - counted)
        return (share, Double(shortest) / 1e9)
    }

    /// Before reservations were made by the round trip, 600/s were used to 85 % at 60 ms and to 28 % at 200 ms.
    @Test(arguments: [("600/s", 2), ("600/s", 4), ("25/s", 2)], [0, 20, 60, 200])
    func aLimitIsUsedHoweverFarRedisIs(_ limit: (text: String, workers: Int), milliseconds: Int) throws {
        let (share, shortest) = try use(limit.text, workers: limit.workers, roundTrip: .milliseconds(milliseconds))
        #expect(share > (milliseconds > 60 ? 0.8 : 0.9), "\(share)")
        #expect(shortest >= 1, "\(limit.text) and one more started in \(shortest) s")
    }
}
