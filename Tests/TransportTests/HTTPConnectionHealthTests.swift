import Model
import NIOCore
import Testing

@testable import Transport

@Suite struct HTTPConnectionHealthTests {
    private let failure: HTTPConnectionHealth.Failure = (
        ProviderResponse(action: .reconnect, stage: .connect, code: 0, text: "refused"),
        TransportError(description: "refused", action: .reconnect, stage: .connect)
    )

    @Test func afterAFailureNothingIsTriedForAWhileAndThenOneMessage() {
        var health = HTTPConnectionHealth()
        let now = NIODeadline.uptimeNanoseconds(1)
        #expect(!health.isInDoubt && !health.isHeld(at: now))
        health.failed(failure, at: now, jitter: 0, fleet: 1)
        #expect(health.isHeld(at: now) && health.lastFailure?.response.text == "refused")
        #expect(!health.isHeld(at: health.heldUntil) && health.isInDoubt)
        health.connected()
        #expect(!health.isInDoubt && !health.isHeld(at: now))
    }

    @Test func severalConnectionsThatEndWithoutAResponseAreADoubt() {
        var health = HTTPConnectionHealth()
        let ended = ProviderResponse(missed: .connectionEnded, stage: .response, text: "closed")
        for _ in 0..<2 { health.answered(ended) }
        #expect(!health.isInDoubt)
        health.answered(ended)
        #expect(health.isInDoubt)
        health.answered(ProviderResponse(action: .accept, stage: .response, code: 200, text: "ok"))
        #expect(!health.isInDoubt)
    }
}
