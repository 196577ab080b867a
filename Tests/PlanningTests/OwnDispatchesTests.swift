import Model
import Testing

@testable import Planning

@Suite struct OwnDispatchesTests {
    private let a = Self.id(1)
    private let b = Self.id(2)

    private static func id(_ number: Int64) -> MailingID {
        var generator = SystemRandomNumberGenerator()
        return MailingID(milliseconds: number, using: &generator)
    }

    @Test func whatWasDispatchedHereSinceAMomentIsKnown() {
        var own = OwnDispatches()
        #expect(own.untouched([a, b], since: 5) == [])
        own.begin(at: 5)
        own.note([a])
        #expect(own.untouched([a, b], since: 5) == [b])
        #expect(own.untouched([a, b], since: 9) == [b])
        // Before that another planner led.
        #expect(own.untouched([a, b], since: 4) == [])
        own.begin(at: 3)
        #expect(own.untouched([a, b], since: 4) == [])
    }

    @Test func nothingIsSaidOnceItIsTooMuch() {
        var own = OwnDispatches()
        own.begin(at: 5)
        own.note((0...100_000).map { Self.id(Int64($0)) })
        #expect(own.untouched([Self.id(1 << 40)], since: 9) == [])
    }
}
