import Policy
import Testing

@Suite struct AgreedTimeTests {
    /// Milliseconds of the right time at our time 0.
    private static let epoch: Int64 = 1_800_000_000_000
    private static let day: Int64 = 86_400_000

    private func time(redis: Int64 = 0) -> AgreedTime {
        var time = AgreedTime()
        read(&time, at: 0, redis: redis)
        return time
    }

    /// Redis is asked at a time of ours in milliseconds; its clock is off by so many.
    private func read(_ time: inout AgreedTime, at local: Int64, redis: Int64) {
        time.note(shared: Double((Self.epoch + local + redis) * 1000), sent: local * 1_000_000, received: local * 1_000_000)
    }

    @Test func beforeTheFirstReadingTheMachineIsBelieved() {
        let time = AgreedTime()
        #expect(time.likely(machine: 7, at: 9) == 7 && time.earliest(machine: 7, at: 9) == 7)
    }

    @Test(arguments: [-day, -3_600_000, 3_600_000, day])
    func oneClockThatJumpsChangesNothing(jump: Int64) {
        var time = time()
        let now = Self.epoch + 10_000
        // The machine's.
        #expect(abs(time.likely(machine: now + jump, at: 10_000_000_000) - now) <= 10)
        #expect(time.earliest(machine: now + jump, at: 10_000_000_000) <= now)
        // Redis's.
        read(&time, at: 10_000, redis: jump)
        #expect(abs(time.likely(machine: now, at: 10_000_000_000) - now) <= 10)
        #expect(time.earliest(machine: now, at: 10_000_000_000) <= now)
    }

    @Test func whereTheWholeMachineJumpsAheadNothingIsOverAtOnce() {
        var time = time()
        read(&time, at: 10_000, redis: Self.day)
        let now = Self.epoch + 10_000
        #expect(time.earliest(machine: now + Self.day, at: 10_000_000_000) <= now)
    }
}

@Suite struct RoundTripTests {
    @Test func theBoundFollowsTheDistance() {
        var trip = RoundTrip()
        #expect(trip.bound == .zero && trip.mean == nil)
        for _ in 0..<60 { trip.note(.milliseconds(60)) }
        #expect(trip.mean.map { $0 > .milliseconds(59) } == true)
        #expect(trip.bound > .milliseconds(59) && trip.bound < .milliseconds(70))
        for _ in 0..<60 { trip.note(.milliseconds(1)) }
        #expect(trip.bound < .milliseconds(5))
        // One stop of the server is no distance.
        trip.note(.seconds(20))
        #expect(trip.bound <= .seconds(1))
    }
}
