import Ledger
import Model
import TestServers
import Testing

@Suite struct RefusalConformanceTests {
    let id = Example.id()
    let now = Example.start

    private func held(_ index: Int, _ held: RefusalDoubt = .beforeAcceptance, after wait: Int64 = 5_000) -> RecipientResult {
        var result = RecipientResult(
            index: index, state: .deferred, attempts: 0, at: now, due: now + wait,
            response: ProviderResponse(
                .setUp, .pauseMailing, about: .unclear, stage: .rcpt, code: 554,
                text: "5.7.1 <p0-\(index)@example.com>: Relay access denied"))
        result.doubt = held
        return result
    }

    @Test(arguments: Engine.all) func thoseWhoWaitForAnAcceptanceAreCountedByWhatTheyWereTold(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [5])
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).map(\.isProven) == [false])
        let summary = try await ledger.write(
            groups: [resultGroup(closing: .done, [held(0), held(1), deferred(2, due: now + 9), held(3, .ofUs), failed(4)])], events: [],
            now: now)
        #expect(summary.refused == [id])
        let counted = try #require(try await ledger.doubtfulRefusals(id))
        #expect(counted.accepted == 0 && counted.open == 4 && counted.isPlanned)
        #expect(counted.responses.map(\.count) == [2] && counted.responses.first?.reason == .setUp)
        #expect(counted.responses.first?.text == "5.7.1 <address>: Relay access denied")
        #expect(try await ledger.commonestDeferral(id)?.count == 3)
        // Whoever resumes the mailing has mended it: they are asked anew.
        _ = try await ledger.setState(id, to: .paused, from: [.sending], reason: .providerRefused("no"), now: now)
        _ = try await ledger.resume(id, atOnce: false, now: now)
        #expect(try await ledger.doubtfulRefusals(id)?.responses.isEmpty == true)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 60_000).first?.open?.count == 4)
        let accepted = try await ledger.write(
            groups: [resultGroup(dispatchNumber: 2, closing: .done, [sent(0, at: now + 1), held(1, after: 90_000), held(2), held(3)])],
            events: [],
            now: now)
        #expect(accepted.refused == [id])
        #expect(try await ledger.doubtfulRefusals(id)?.accepted == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 120_000).map(\.isProven) == [true])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aMailingInWhichNobodyWasSentToHasFailed(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 1...2 {
            try await Example.plan(ledger, Example.id(number), batches: [2])
            _ = try await ledger.dispatchBatches([(Example.id(number), 1)], now: now)
            let results = number == 1 ? [failed(0), failed(1)] : [failed(0), sent(1)]
            _ = try await ledger.write(
                groups: [resultGroup(closing: .done, mailing: Example.id(number), results)], events: [], now: now)
        }
        #expect(try await ledger.complete([Example.id(1), Example.id(2)], now: now).count == 2)
        let nobody = try #require(try await ledger.mailing(Example.id(1)))
        #expect(nobody.state == .failed && nobody.stateReason == StateReason(kind: .nobody, text: "nobody was sent to: 2 failed"))
        #expect(try await ledger.mailing(Example.id(2))?.state == .sent)
    }
}
