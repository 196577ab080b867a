import Model
import Policy
import Testing

@testable import Ledger

@Suite struct LateStateTests {
    private typealias News = DeliveryEvidence.News

    /// What a ledger that keeps state, bounce and events comes to is what all facts come to.
    @Test func whatIsKeptIsEnough() {
        let all: [News] = [.receipt, .bounce, .person(.opened)]
        func check(_ chosen: [News]) {
            var state = LateState(shown: .sent, beneath: nil)
            var evidence = DeliveryEvidence()
            evidence.take(.attempt(.sent))
            var isSeen = false
            for news in chosen {
                if case .person = news { isSeen = true }
                state = state.after(news, isSeen: isSeen)
                evidence.take(news)
                #expect(state.shown == evidence.state, "\(chosen)")
            }
            guard chosen.count < 5 else { return }
            for news in all { check(chosen + [news]) }
        }
        check([])
    }

    @Test func whoIsHeldIsSettledByWhateverAProviderTells() {
        let held = LateState(shown: .uncertain, beneath: nil)
        #expect(held.after(.attempt(.sent), isSeen: false).shown == .sent)
        #expect(held.after(.receipt, isSeen: false).shown == .delivered)
        #expect(held.after(.bounce, isSeen: false) == LateState(shown: .failed, beneath: .sent))
        #expect(held.after(.person(.clicked), isSeen: true).shown == .sent)
    }

    @Test func nobodyIsOpenAgain() {
        for state in RecipientState.allCases {
            for news in [News.attempt(.sent), .receipt, .bounce, .person(.opened)] {
                for isSeen in [false, true] {
                    let after = LateState(shown: state, beneath: nil).after(news, isSeen: isSeen).shown
                    #expect(after == state || after.isTerminal, "\(state) \(news)")
                }
            }
        }
        // Only a provider that takes a message of somebody held says anything new by that.
        #expect(LateState(shown: .failed, beneath: nil).after(.attempt(.sent), isSeen: false).shown == .failed)
        #expect(LateState(shown: .failed, beneath: nil).after(.person(.opened), isSeen: true).shown == .failed)
        #expect(LateState(shown: .planned, beneath: nil).after(.bounce, isSeen: true).shown == .sent)
    }
}
