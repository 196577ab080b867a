import Model
import Testing

@testable import Loadtest

@Suite struct DownsamplingTests {
    private func points(_ count: Int, from generator: inout SeededGenerator, gaps: Bool = false) -> [RunResult.Point] {
        (0..<count).map { index in
            let isGap = gaps && Int.random(in: 0..<10, using: &generator) == 0
            return .init(at: Double(index), value: isGap ? nil : Double.random(in: 0...1000, using: &generator))
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>, [false, true])
    func aLongLineKeepsItsOrderItsEndsAndItsExtremes(seed: UInt64, gaps: Bool) throws {
        var generator = SeededGenerator(seed: seed)
        let all = points(Int.random(in: 601...5000, using: &generator), from: &generator, gaps: gaps)
        let thin = Downsampling.thin(all, to: 600)
        #expect(thin.count <= 600)
        #expect(thin.count > 250)
        #expect(thin.first == all.first)
        #expect(thin.last == all.last)
        #expect(zip(thin, thin.dropFirst()).allSatisfy { $0.at < $1.at })
        #expect(thin.compactMap(\.value).min() == all.compactMap(\.value).min())
        #expect(thin.compactMap(\.value).max() == all.compactMap(\.value).max())
        #expect(thin.contains { $0.value == nil } == all.contains { $0.value == nil })
        #expect(thin.allSatisfy { all[Int($0.at)] == $0 })
    }

    @Test func aShortLineStaysAsItIs() {
        var generator = SeededGenerator(seed: 1)
        let all = points(600, from: &generator, gaps: true)
        #expect(Downsampling.thin(all, to: 600) == all)
        #expect(Downsampling.thin([], to: 600) == [])
    }

    @Test func aSpikeOfOneSecondInAnHourIsSeen() {
        var all = (0..<3600).map { RunResult.Point(at: Double($0), value: 5) }
        all[1789].value = 900
        all[2500].value = nil
        let thin = Downsampling.thin(all, to: 600)
        #expect(thin.contains(all[1789]))
        #expect(thin.contains(all[2500]))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func linesOnOneAnotherKeepTheSameTimesAndTheExtremesOfTheirSum(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let lines = (0..<4).map { RunResult.Line(label: "\($0)", points: points(3600, from: &generator)) }
        let panel = RunResult.Panel(title: "x", unit: "cores", isStacked: true, lines: lines)
        let thin = Downsampling.thin(panel, to: 600).lines
        let sums = { (lines: [RunResult.Line]) in
            lines[0].points.indices.map { index in lines.reduce(0) { $0 + ($1.points[index].value ?? 0) } }
        }
        #expect(thin.allSatisfy { $0.points.count <= 600 && $0.points.map(\.at) == thin[0].points.map(\.at) })
        #expect(sums(thin).max() == sums(lines).max())
        #expect(sums(thin).min() == sums(lines).min())
        for (line, all) in zip(thin, lines) {
            #expect(line.points.compactMap(\.value).max() == all.points.compactMap(\.value).max())
        }
    }

    @Test func linesOfDifferentTimesAreBroughtToTheSame() {
        let aligned = Downsampling.aligned([
            .init(label: "a", points: [.init(at: 0, value: 1), .init(at: 2, value: 3), .init(at: 4, value: nil)]),
            .init(label: "b", points: [.init(at: 1, value: 10), .init(at: 2, value: 20)]),
        ])
        #expect(aligned[0].points.map(\.at) == [0, 1, 2, 4])
        #expect(aligned[1].points.map(\.at) == [0, 1, 2, 4])
        #expect(aligned[0].points.map(\.value) == [1, 1, 3, nil])
        #expect(aligned[1].points.map(\.value) == [nil, 10, 20, nil])
    }
}
