import Model
import Policy
import Testing

@Suite struct MomentTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-12-01T09:00:00+01:00", 1_796_112_000_000),
        ("2026-12-01T08:00:00Z", 1_796_112_000_000), ("2026-12-01t08:00:00z", 1_796_112_000_000),
        ("2026-12-01 02:30:00.25-05:30", 1_796_112_000_250), ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2000-02-29T23:59:59.9999Z", 951_868_799_999), ("1969-12-31T23:59:59Z", -1_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("0000-03-01T00:00:00Z", -62_162_035_200_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("2026-12-01T00:00:00-00:00", 1_796_083_200_000),
    ])
    func readsAMomentWithItsOffset(_ text: String, _ milliseconds: Int64) throws {
        #expect(try Moment(text).milliseconds == milliseconds)
    }

    @Test(arguments: [
        ("", MomentError.Problem.unreadable), ("tomorrow", .unreadable), ("2026-12-01", .unreadable),
        ("2026-12-01T09:00+01:00", .unreadable), ("2026-12-01T09:00:00+0100", .unreadable),
        ("2026-12-01T09:00:00.Z", .unreadable), ("2026-12-01T09:00:00Z ", .unreadable),
        ("2026-12-01T09:00:00+24:00", .unreadable), ("2026-12-01T09:00:00 Europe/Berlin", .unreadable),
        ("２026-12-01T09:00:00Z", .unreadable), ("2026-12-01T09:00:00", .withoutOffset),
        ("2026-12-01 09:00:00.5", .withoutOffset), ("2026-02-29T09:00:00Z", .impossible),
        ("1900-02-29T09:00:00Z", .impossible), ("2026-13-01T09:00:00Z", .impossible),
        ("2026-00-01T09:00:00Z", .impossible), ("2026-04-31T09:00:00Z", .impossible),
        ("2026-04-00T09:00:00Z", .impossible), ("2026-04-01T24:00:00Z", .impossible),
        ("2026-04-01T23:60:00Z", .impossible), ("2026-04-01T23:00:61Z", .impossible),
    ])
    func refusesSayingWhatToWrite(_ text: String, _ problem: MomentError.Problem) {
        let error = #expect(throws: MomentError.self) { try Moment(text) }
        #expect(error?.problem == problem)
        #expect(error?.description.contains("2026-12-01T09:00:00+01:00") == true)
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let second = Int64.random(in: -11_000_000_000...250_000_000_000, using: &generator)
            let text = Moment(milliseconds: second * 1000).description
            #expect(try Moment(text).milliseconds == second * 1000, "\(text)")
        }
    }

    @Test(arguments: [
        (0, "0 s"), (0.2, "1 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (3_600, "1 h"), (7_500, "2 h 5 min"),
        (10_920, "3 h 2 min"), (86_400, "1 d"), (273_600, "3 d 4 h"), (86_460, "1 d"), (-5, "0 s"),
    ])
    func lengthsOfTimeAreToldInTwoUnits(_ seconds: Double, _ text: String) {
        #expect(TimeSpan.text(seconds: seconds) == text)
    }

    @Test(arguments: [(0.096, "0.1 s"), (0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (61, "1 min 1 s")])
    func showsHowLongSomethingTook(seconds: Double, text: String) { #expect(TimeSpan.text(taken: seconds) == text) }
}
