import Ledger
import Testing

@testable import Planning

@Suite struct FoundCopyTests {
    private func found(
        _ known: Int64?, _ own: Int64, _ isRestored: Bool = false, beside: Int64? = nil, mark: CopyMark? = nil, later: Int64? = nil
    ) -> String {
        let mark = mark ?? CopyMark(commits: own, restored: isRestored ? 7 : nil)
        return switch FoundCopy(known: known, beside: beside, mark: mark, later: later) {
        case .none: "none"
        case .older(let commits, let isRestored): "older \(commits) \(isRestored)"
        case .current(let commits): "current \(commits)"
        }
    }

    @Test func aLedgerIsAnOlderCopyWhereRedisKnowsOfALaterCommit() {
        #expect(found(nil, 5) == "none")
        #expect(found(5, 5) == "none")
        #expect(found(4, 5) == "none")
        #expect(found(6, 5) == "older 6 false")
        // A collector has written to it since it was found.
        #expect(found(6, 9, mark: CopyMark(commits: 9, olderThan: 6)) == "older 6 false")
    }

    /// A collector commits and tells Redis between the look at the ledger and that at Redis: the further the ledger's server, the likelier.
    @Test func whatOthersCommitMeanwhileIsNotLacking() {
        #expect(found(6, 5, later: 6) == "none")
        #expect(found(6, 5, later: 9) == "none")
        #expect(found(6, 5, later: 5) == "older 6 false")
        #expect(found(6, 5, true, later: 6) == "current 6")
        #expect(found(6, 5, mark: CopyMark(commits: 5, isMoved: true), later: 5) == "older 6 false")
    }

    @Test func aRestoredLedgerIsInDoubtUnlessRedisKnowsOfNothingLater() {
        #expect(found(6, 5, true) == "older 6 true")
        #expect(found(5, 5, true) == "current 5")
        #expect(found(nil, 5, true) == "older 5 true")
    }

    /// A standby that has taken over may lack what was committed last.
    @Test func aServerThatTookOverIsInDoubtUnlessRedisKnowsOfNothingLater() {
        #expect(found(6, 5, mark: CopyMark(commits: 5, isMoved: true)) == "older 6 false")
        #expect(found(5, 5, mark: CopyMark(commits: 5, isMoved: true)) == "current 5")
        #expect(found(nil, 5, mark: CopyMark(commits: 5, isMoved: true)) == "older 5 false")
    }

    /// A fleet's Redis was used since the file was written, or a private one was lost.
    @Test func aFileBesideTheLedgerProvesNoRestoredCopyToBeCurrent() {
        #expect(found(nil, 5, beside: 6) == "older 6 false")
        #expect(found(nil, 5, true, beside: 6) == "older 6 true")
        #expect(found(nil, 5, true, beside: 5) == "older 5 true")
        #expect(found(nil, 5, true, beside: 4) == "older 5 true")
        #expect(found(5, 5, true, beside: 4) == "current 5")
        #expect(found(nil, 5, beside: 5) == "none")
    }
}
