import Testing

@testable import Policy

@Suite struct RepeatedLineTests {
    @Test func theFirstIsToldAtOnceAndThenAMinuteApart() {
        var line = RepeatedLine()
        let told = [0, 1, 59, 60, 61, 300].map { line.add(at: $0 * 1_000_000_000) }
        #expect(told == [1, nil, nil, 3, nil, 2])
        #expect(RepeatedLine.text(1) == "" && RepeatedLine.text(3) == " (3 times since the last such line)")
    }
}
