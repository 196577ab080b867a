import Ledger
import Model
import Policy
import Testing

@testable import Collecting

@Suite struct RefusalWatchTests {
    private func id(_ seed: UInt64) -> MailingID {
        var generator = SeededGenerator(seed: seed)
        return MailingID(milliseconds: 1_700_000_000_000, using: &generator)
    }

    private func group(_ mailing: MailingID, sent: Int, refused: Int, worker: String = "w") -> ResultGroup {
        let accepted = (0..<sent).map { RecipientResult(index: $0, state: .sent, attempts: 1, at: 7) }
        let failed = (0..<refused).map {
            RecipientResult(
                index: sent + $0, state: .failed, attempts: 1, at: 7,
                response: ProviderResponse(.unknown, .fail, about: .unclear, stage: .rcpt, code: 550, text: "no \($0)"))
        }
        return ResultGroup(
            Dispatch(batch: BatchID(mailing: mailing, number: 0), dispatchNumber: 1), worker: worker, sequence: 0, closing: .open,
            results: accepted + failed)
    }

    @Test func whatSeveralWorkersSeeOfOneMailingIsJudgedTogether() {
        let watch = RefusalWatch(RefusalThresholds())
        let mailing = id(1)
        #expect(watch.note(group(mailing, sent: 300, refused: 1)) == nil)
        // No worker sees more than twenty of the answers.
        var found: RefusalCircuit.Finding?
        for worker in 0..<20 where found == nil { found = watch.note(group(mailing, sent: 0, refused: 19, worker: "w\(worker)")) }
        #expect(found?.common.isBeforeAcceptance == false && found?.common.count == 190)
        #expect(found?.common.words(provider: "relay", text: found?.text ?? "").contains("'550 no") == true)
    }

    @Test func mailingsAreJudgedApart() {
        let watch = RefusalWatch(RefusalThresholds())
        for number in 0..<3_000 { #expect(watch.note(group(id(UInt64(number)), sent: 0, refused: 9)) == nil) }
    }

    @Test func theLedgersCountsAreJudgedByWhatIsAlike() {
        let watch = RefusalWatch(RefusalThresholds())
        func response(_ text: String, _ count: Int) -> MailingReport.ResponseCount {
            MailingReport.ResponseCount(reason: .unknown, code: 550, text: text, count: count)
        }
        var held = DoubtfulRefusals(
            accepted: 0, open: 3_000, isPlanned: true, responses: [response("5.0.0 ada", 5), response("5.0.0 bob", 5)])
        #expect(watch.judge(held)?.common.count == 10 && watch.judge(held)?.text == "5.0.0 ada")
        held.accepted = 1
        #expect(watch.judge(held) == nil)
    }
}
