import Logging
import Model
import Policy
import Testing

@testable import Broker
@testable import Delivery

/// What limits a worker's sends: the configuration, what operators set at run time, and adaptive rates.
@Suite struct ActiveLimitsTests {
    private let provider = LimitScope.provider("p")
    private let channel = LimitScope.channel(.sms)
    private let mailing = LimitScope.mailing("m")

    private func make() -> ActiveLimits {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return ActiveLimits(Limits().applying(["provider:p": "100/s"]).limits, clocks: .system, logger: logger)
    }

    @Test func operatorsReplaceTheConfigurationAndGiveItBack() {
        let limits = make()
        #expect(!limits.isKnown && limits.perSecond(provider) == 100)
        limits.take(["provider:p": "5/s", "channel:sms": "7/s"])
        #expect(limits.isKnown && limits.perSecond(provider) == 5 && limits.perSecond(channel) == 7)
        limits.take(["provider:p": "none"])
        #expect(limits.perSecond(provider) == nil && limits.perSecond(channel) == nil)
        limits.take([:])
        #expect(limits.isKnown && limits.perSecond(provider) == 100)
    }

    /// Another program may have written it.
    @Test func aLimitThatIsNoneLeavesTheOthers() {
        let limits = make()
        limits.take(["provider:p": "fast", "channel:sms": "7/s", "nonsense": "1/s"])
        #expect(limits.perSecond(channel) == 7)
    }

    @Test func aSlowedScopeHasTheLowerOfBothRates() throws {
        let limits = make()
        limits.take(slowed: [provider: .init(interval: 100_000, until: 0), channel: .init(interval: 0, until: .max)])
        #expect(limits.perSecond(provider) == 10 && limits.perSecond(channel) == nil)
        let (scopes, intervals) = limits.scopes(of: [provider, channel, mailing], speed: nil)
        // A paused scope needs a calendar although it has no limit; a mailing without a speed needs none.
        #expect(scopes.map(\.scope) == [provider, channel] && intervals == [provider: 100_000, channel: 0])
        limits.take(slowed: [:])
        #expect(limits.perSecond(provider) == 100)
        #expect(limits.scopes(of: [channel, mailing], speed: try RateLimit("3/s")).scopes.map(\.scope) == [mailing])
    }

    @Test func theLongestPauseIsShown() {
        let limits = make()
        #expect(limits.pause(of: [provider, channel]) == nil)
        let now = Clock.monotonic()
        limits.take(slowed: [
            provider: .init(interval: 0, until: now + 1_000_000_000_000), channel: .init(interval: 0, until: now + 2_000_000_000_000),
        ])
        let longest = limits.pause(of: [provider, channel])
        #expect(longest?.scope == channel && (longest?.seconds ?? 0) > 1_000)
    }
}
