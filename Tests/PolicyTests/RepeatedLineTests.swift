import Testing

@testable import Policy

@Suite struct RepeatedLineTests {
    @Test func theFirstIsToldAtOnceAndThenAMinuteApart() {
        var line = RepeatedLine()
        let told = [0, 1, 59, 60, 61, 300].map { line.add(at: $0 * 1_000_000_000) }
        #expect(told == [1, nil, nil, 3, nil, 2])
        var many = RepeatedLine()
        let counted = [(0, 5), (1, 9), (59, 1), (60, 0), (200, 0), (201, 2)].map { (second: Int64, times: Int) in
            many.count(times)
            return many.due(at: second * 1_000_000_000)
        }
        #expect(counted == [5, nil, nil, 10, nil, 2])
        many.count(1)
        #expect(many.due(at: 201_000_000_000) == nil && many.due(at: 201_000_000_000, isLast: true) == 1)
        #expect(RepeatedLine.text(1) == "" && RepeatedLine.text(3) == " (3 times since the last such line)")
    }
}
