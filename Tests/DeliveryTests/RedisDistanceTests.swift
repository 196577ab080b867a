import Policy
import Testing

@testable import Delivery

@Suite struct RedisDistanceTests {
    private func trip(_ times: [Duration]) -> RoundTrip {
        var trip = RoundTrip()
        for time in times { trip.note(time) }
        return trip
    }

    @Test func aDistanceThatLastsIsToldOnceAMinute() {
        var distance = RedisDistance()
        let far = trip(Array(repeating: .milliseconds(60), count: 50))
        let start = ContinuousClock.now
        #expect(distance.warning(far, at: start) == nil)
        #expect(distance.warning(far, at: start + .seconds(4))?.hasPrefix("Redis answers after 60 ms on average") == true)
        #expect(distance.warning(far, at: start + .seconds(20)) == nil)
        #expect(distance.warning(far, at: start + .seconds(65)) != nil)
    }

    @Test func aStopOfASecondIsNoDistance() {
        let near = Array(repeating: Duration.microseconds(200), count: 20)
        var trip = trip(near)
        trip.note(.seconds(1))
        #expect(trip.mean ?? .zero < RedisDistance.far)
        var distance = RedisDistance()
        let far = self.trip([.milliseconds(60)])
        let start = ContinuousClock.now
        #expect(distance.warning(far, at: start) == nil)
        #expect(distance.warning(self.trip(near), at: start + .seconds(2)) == nil)
        // It is far anew from here on.
        #expect(distance.warning(far, at: start + .seconds(4)) == nil)
        #expect(distance.warning(far, at: start + .seconds(6)) == nil)
    }

    @Test func aDistanceThatGrowsIsSeen() {
        let trip = trip(Array(repeating: .microseconds(200), count: 20) + Array(repeating: .milliseconds(60), count: 60))
        #expect(trip.mean ?? .zero > .milliseconds(50))
    }
}
