import Model
import Testing

@testable import Policy

@Suite struct BrakeTests {
    /// A whole minute.
    private let now: Int64 = 28_333_333 * 60_000

    private func judge(_ counts: BrakeCounts, minutesAgo: Int64 = 0, _ thresholds: BrakeThresholds = BrakeThresholds()) -> [String] {
        var windows = BrakeWindows()
        windows.add(counts, minute: now / 60_000 - minutesAgo)
        return windows.judge(thresholds, at: now).map { "\($0.key.kind) \($0.key.window) \($0.key.level)" }
    }

    @Test func complaintsPauseAtTheLimitAndNotBelow() {
        // Exactly 1 % of 500, with five.
        #expect(judge(BrakeCounts(sent: 500, complained: 5)) == ["complaints hour pause", "complaints day pause"])
        // 0.998 %: an hour warns, and a day, which has the lower limit, pauses.
        #expect(judge(BrakeCounts(sent: 501, complained: 5)) == ["complaints day pause", "complaints hour warn"])
        #expect(judge(BrakeCounts(sent: 1_000, complained: 5)) == ["complaints day pause", "complaints hour warn"])
        #expect(judge(BrakeCounts(sent: 1_001, complained: 5)) == ["complaints day pause"])
        #expect(judge(BrakeCounts(sent: 2_000, complained: 6)) == ["complaints day pause"])
        #expect(judge(BrakeCounts(sent: 2_001, complained: 6)) == ["complaints day warn"])
        #expect(judge(BrakeCounts(sent: 4_000, complained: 6)) == ["complaints day warn"])
        #expect(judge(BrakeCounts(sent: 4_001, complained: 6)) == [])
    }

    @Test func fewMessagesAndFewEventsSayNothing() {
        #expect(judge(BrakeCounts(sent: 199, complained: 199)) == [])
        #expect(judge(BrakeCounts(sent: 200, complained: 5)).first == "complaints hour pause")
        #expect(judge(BrakeCounts(sent: 200, complained: 4)) == [])
        // What was refused was not sent, and counts among what was tried.
        #expect(judge(BrakeCounts(sent: 199, refused: 199)) == [])
        #expect(judge(BrakeCounts(sent: 200, refused: 22)) == ["bounces day pause", "bounces hour warn"])
        #expect(judge(BrakeCounts(sent: 200, refused: 23)) == ["bounces hour pause", "bounces day pause"])
        #expect(judge(BrakeCounts(refused: 200)) == [])
    }

    @Test func bouncesOfBothKindsAreAdded() {
        #expect(judge(BrakeCounts(sent: 290, refused: 10, bounced: 20)) == ["bounces hour pause", "bounces day pause"])
        #expect(judge(BrakeCounts(sent: 290, refused: 10, bounced: 19)) == ["bounces day pause", "bounces hour warn"])
        #expect(judge(BrakeCounts(sent: 400, bounced: 10)) == ["bounces day warn"])
        #expect(judge(BrakeCounts(sent: 400, bounced: 9)) == [])
    }

    @Test func aWindowEndsWithThisMinute() {
        let counts = BrakeCounts(sent: 500, complained: 5)
        #expect(judge(counts, minutesAgo: 59).count == 2)
        #expect(judge(counts, minutesAgo: 60) == ["complaints day pause"])
        #expect(judge(counts, minutesAgo: 1_439) == ["complaints day pause"])
        #expect(judge(counts, minutesAgo: 1_440) == [])
        #expect(judge(counts, minutesAgo: -1) == [])
    }

    @Test func eachLimitCanBeSetAndSwitchedOff() throws {
        var thresholds = BrakeThresholds()
        thresholds.complaintsDay = BrakeLimit()
        #expect(judge(BrakeCounts(sent: 500, complained: 5), thresholds) == ["complaints hour pause"])
        thresholds.complaintsHour = try #require(BrakeLimit("0.5/off"))
        #expect(judge(BrakeCounts(sent: 500, complained: 500), thresholds) == ["complaints hour warn"])
        thresholds.complaintsHour = try #require(BrakeLimit("off/2"))
        #expect(judge(BrakeCounts(sent: 500, complained: 9), thresholds) == [])
        #expect(judge(BrakeCounts(sent: 500, complained: 10), thresholds) == ["complaints hour pause"])
        (thresholds.leastSent, thresholds.leastEvents) = (501, 11)
        #expect(judge(BrakeCounts(sent: 500, complained: 11), thresholds) == [])
        #expect(judge(BrakeCounts(sent: 501, complained: 11), thresholds) == ["complaints hour pause"])
        #expect(!thresholds.isOff)
        (thresholds.complaintsHour, thresholds.bouncesHour, thresholds.bouncesDay) = (BrakeLimit(), BrakeLimit(), BrakeLimit())
        #expect(thresholds.isOff)
    }

    private func judge(_ counts: BrakeCounts, _ thresholds: BrakeThresholds) -> [String] { judge(counts, minutesAgo: 0, thresholds) }

    @Test func limitsAreReadInPercent() {
        #expect(BrakeLimit("0.5/1") == BrakeLimit(warn: 500, pause: 1_000))
        #expect(BrakeLimit("0.15/100") == BrakeLimit(warn: 150, pause: 100_000))
        #expect(BrakeLimit("0.001/off") == BrakeLimit(warn: 1, pause: nil))
        #expect(BrakeLimit("off") == BrakeLimit() && BrakeLimit("off/off") == BrakeLimit())
        for text in [
            "", "1", "1/", "/1", "0/1", "1/0", "2/1", "1/2/3", "-1/2", "1/101", "1e1/20", "0.0005/1", ".5/1", "1./2", "9999999999/1",
            "1%/2%", "+1/2", "off/", "1 / 2",
        ] {
            #expect(BrakeLimit(text) == nil, "\(text)")
        }
        #expect([1, 150, 1_000, 12_340, 100_000].map(BrakeLimit.percent) == ["0.001", "0.15", "1", "12.34", "100"])
        let finding = BrakeFinding(.init(.bounces, .day, .warn), events: 24, of: 333, limit: 2_500)
        #expect(finding.words == "24 of 333 messages of the last 24 hours bounced for good (7.207 %; the limit is 2.5 %)")
    }

    /// Against a model that keeps everything.
    @Test func theRingSaysWhatAPlainSumSays() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10 {
            var windows = BrakeWindows()
            var plain: [Int64: BrakeCounts] = [:]
            var minute = now / 60_000
            for _ in 0..<100 {
                minute += Int64.random(in: 0...40, using: &generator)
                let late = minute - Int64.random(in: 0...30, using: &generator)
                let counts = BrakeCounts(sent: Int.random(in: 0...9, using: &generator), bounced: Int.random(in: 0...3, using: &generator))
                windows.add(counts, minute: late)
                plain[late, default: BrakeCounts()].sent += counts.sent
                plain[late, default: BrakeCounts()].bounced += counts.bounced
                for window in BrakeFinding.Window.allCases {
                    let wanted = plain.filter { $0.key > minute - window.minutes && $0.key <= minute }.map(\.value)
                    let total = windows.total(window, at: minute * 60_000)
                    #expect(total.sent == wanted.reduce(0) { $0 + $1.sent } && total.bounced == wanted.reduce(0) { $0 + $1.bounced })
                }
            }
        }
    }
}
