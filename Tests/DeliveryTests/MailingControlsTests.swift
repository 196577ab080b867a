import Model
import Policy
import Testing

@testable import Delivery

/// What operators and a worker itself may change of a mailing that is being sent.
@Suite struct MailingControlsTests {
    private static let start = ContinuousClock.now
    private let start = Self.start

    @Test func aHaltHoldsUntilAPauseWasPublishedAndLifted() {
        var controls = MailingControls()
        #expect(controls.isSending)
        controls.halt(at: start)
        // The mailing's own pause has not arrived yet.
        controls.take(.sending, at: start + .seconds(1))
        #expect(!controls.isSending)
        controls.take(.paused, at: start + .seconds(2))
        #expect(!controls.isSending)
        controls.take(.sending, at: start + .seconds(3))
        #expect(controls.isSending)
    }

    @Test func aHaltWhosePauseWasMissedEndsByItself() {
        var controls = MailingControls()
        controls.halt(at: start)
        controls.take(.sending, at: start + MailingControls.haltTime)
        #expect(!controls.isSending)
        controls.take(.sending, at: start + MailingControls.haltTime + .milliseconds(1))
        #expect(controls.isSending)
    }

    @Test func whateverHappensNothingStartsWhilePausedAndNoHaltIsForEver() {
        for seed in 0..<2_000 as Range<UInt64> {
            if let problem = run(seed) { Issue.record("seed \(seed): \(problem)") }
        }
    }

    /// - Returns: what is wrong.
    private func run(_ seed: UInt64) -> String? {
        var random = SeededGenerator(seed: seed)
        var controls = MailingControls()
        var now = start
        var published = MailingState.sending
        /// The last halt after which no other state than `sending` was seen.
        var halted: ContinuousClock.Instant?
        for _ in 0..<60 {
            now += .milliseconds(Int.random(in: 0...3_000, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                controls.halt(at: now)
                halted = now
            case 1: published = [.sending, .sending, .paused, .stopped].randomElement(using: &random) ?? .sending
            default:
                controls.take(published, at: now)
                if published != .sending { halted = nil }
                if let since = halted, now - since > MailingControls.haltTime { halted = nil }
                if controls.isSending != (published == .sending && halted == nil) { return "\(controls) of \(published)" }
            }
            if halted != nil, controls.isSending { return "it sends though it is halted" }
        }
        return nil
    }
}
