import Ledger
import Model
import Policy
import TestServers
import Testing

@testable import Broker
@testable import Collecting

/// Two collectors on one ledger, each with its brake.
@Suite(.timeLimit(.minutes(5)))
struct BrakeWatchTests {
    private func entry(_ id: MailingID, _ range: Range<Int>, bounced: Int) -> StatusStreams.Entry {
        let results = range.map { index in
            let isBounce = index - range.lowerBound < bounced
            return RecipientResult(
                index: index, state: isBounce ? .failed : .sent, attempts: 1, at: Clock.milliseconds(),
                response: isBounce
                    ? ProviderResponse(.unknownUser, .fail, about: .recipient, stage: .rcpt, code: 550, text: "5.1.1 no") : nil)
        }
        let group = ResultGroup(
            Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1), worker: "w", sequence: range.lowerBound,
            closing: .open, results: results)
        return StatusStreams.Entry(
            payload: .results(group), letter: nil, isFound: false, stream: "s", id: "\(range.lowerBound)-1", bytes: 0)
    }

    private func brake(_ ledger: any BrakeWatch.Store, _ change: (inout BrakeThresholds) -> Void = { _ in }) -> BrakeWatch {
        var thresholds = BrakeThresholds()
        change(&thresholds)
        return BrakeWatch(thresholds, ledger: ledger, logger: CollectorSetup.quiet)
    }

    private func collector(_ setup: CollectorSetup, _ name: String, _ brake: BrakeWatch) -> Collector {
        Collector(broker: setup.broker, ledger: setup.ledger, name: name, brake: brake, logger: CollectorSetup.quiet)
    }

    @Test func whatSeveralCollectorsHaveWrittenCountsTogether() async throws {
        let setup = try await CollectorSetup(count: 1_000)
        let (id, ledger) = (setup.id, setup.ledger)
        _ = try await ledger.setState(id, to: .sending, from: [.collecting], reason: .none, note: nil, now: 3)
        let brakes = [brake(ledger), brake(ledger)]
        let collectors = zip(["a", "b"], brakes).map { collector(setup, $0, $1) }
        func state() async throws -> MailingState? { try await ledger.mailing(id)?.state }
        _ = await collectors[0].write([entry(id, 0..<200, bounced: 20)])
        try await brakes[0].look()
        #expect(try await state() == .sending)
        _ = await collectors[1].write([entry(id, 200..<250, bounced: 5)])
        try await brakes[1].look()
        let paused = try #require(try await ledger.mailing(id))
        #expect(paused.state == .paused && paused.stateReason.kind == .brake && paused.stateReason.needsPerson)
        #expect(paused.reason == "25 of 250 messages of the last hour bounced for good (10 %; the limit is 10 %)")

        // It begins anew with the second after the resume, in both.
        _ = try await ledger.resume(id, atOnce: false, note: nil, now: Clock.milliseconds())
        let since = try #require(try await ledger.brakeFacts(id, now: Clock.milliseconds())).since
        try await eventually("the second ends") { Clock.milliseconds() / 1000 > since / 1000 }
        for (place, (collector, brake)) in zip(collectors, brakes).enumerated() {
            brake.note([id])
            try await brake.look()
            #expect(try await state() == .sending)
            _ = await collector.write([entry(id, (250 + 10 * place)..<(260 + 10 * place), bounced: 10)])
            try await brake.look()
            #expect(try await state() == .sending)
        }
        await setup.broker.close()
        try ledger.close()
    }

    @Test func whatWasWrittenBeforeAnEndIsLookedAtByTheNext() async throws {
        let setup = try await CollectorSetup(count: 300)
        let (id, ledger) = (setup.id, setup.ledger)
        _ = try await ledger.setState(id, to: .sending, from: [.collecting], reason: .none, note: nil, now: 3)
        // This process ends before it looks.
        _ = await collector(setup, "a", brake(ledger)).write([entry(id, 0..<300, bounced: 30)])
        let off = brake(ledger) {
            ($0.complaintsHour, $0.complaintsDay, $0.bouncesHour, $0.bouncesDay) = (BrakeLimit(), BrakeLimit(), BrakeLimit(), BrakeLimit())
        }
        off.note([id])
        try await off.look()
        #expect(try await ledger.mailing(id)?.state == .sending)
        try await setup.running(brake(ledger), until: "the mailing is paused") { try await ledger.mailing(id)?.state == .paused }
        await setup.broker.close()
        try ledger.close()
    }
}
