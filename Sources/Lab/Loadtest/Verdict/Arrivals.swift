/// Moments counted by tenths of a second from the start of the run.
package struct Timeline: Sendable, Equatable {
    package static let perSecond = 10
    package private(set) var counts: [Int] = []
    package private(set) var total = 0

    package init() {}

    /// - Parameter microseconds: from the start; what lies before it counts as its first moment.
    mutating func note(_ microseconds: Int64) {
        let bin = max(0, Int(microseconds / (1_000_000 / Int64(Self.perSecond))))
        // A record whose clock is wrong by more than a month is not of this run.
        guard bin < 30_000_000 else { return }
        if bin >= counts.count { counts.append(contentsOf: repeatElement(0, count: bin + 1 - counts.count)) }
        counts[bin] += 1
        total += 1
    }

    /// How many were in the second that begins at `second`.
    package func inSecond(_ second: Int) -> Int {
        let from = second * Self.perSecond
        guard from < counts.count else { return 0 }
        return counts[from..<min(counts.count, from + Self.perSecond)].reduce(0, +)
    }

    /// By second over the middle four fifths of all, so that the start and a long tail do not count; 0 for none.
    package var middleRate: Double {
        guard let from = moment(of: 0.1), let to = moment(of: 0.9), total > 0 else { return 0 }
        let seconds = max(to - from, 1 / Double(Self.perSecond))
        return 0.8 * Double(total) / seconds
    }

    /// Most that came in any second, at whichever tenth it begins.
    package var peak: Int {
        var most = 0
        var sum = 0
        for index in counts.indices {
            sum += counts[index]
            if index >= Self.perSecond { sum -= counts[index - Self.perSecond] }
            most = max(most, sum)
        }
        return most
    }

    /// Seconds until a part of all had come, within a tenth evenly spread.
    private func moment(of part: Double) -> Double? {
        let rank = part * Double(total)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let next = below + Double(count)
            if next >= rank { return (Double(index) + (rank - below) / Double(count)) / Double(Self.perSecond) }
            below = next
        }
        return nil
    }
}

/// How often each recipient's message was taken, by the sinks' records.
package struct Arrivals: Sendable {
    /// One mailing's.
    package struct OfMailing: Sendable {
        /// For each batch how often the message to each of its recipients was taken, up to 255.
        package fileprivate(set) var batches: [Int: [UInt8]] = [:]
        /// When messages were taken.
        package fileprivate(set) var taken = Timeline()

        package func count(_ batch: Int, _ index: Int) -> Int {
            guard let counts = batches[batch], counts.indices.contains(index) else { return 0 }
            return Int(counts[index])
        }

        fileprivate mutating func take(_ batch: Int, _ index: Int, _ microseconds: Int64) {
            taken.note(microseconds)
            var counts = batches.removeValue(forKey: batch) ?? []
            if index >= counts.count { counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count)) }
            if counts[index] < .max { counts[index] += 1 }
            batches[batch] = counts
        }
    }

    /// One sink's.
    package struct OfSink: Sendable {
        /// When attempts began, those that were refused included.
        package fileprivate(set) var begun = Timeline()
        package fileprivate(set) var taken = Timeline()
        package fileprivate(set) var refused = Timeline()
    }

    /// By the mailing's id.
    package private(set) var mailings: [String: OfMailing] = [:]
    /// By the sink's name.
    package private(set) var sinks: [String: OfSink] = [:]
    /// Messages that were taken and whose id names no recipient of a mailing.
    package private(set) var strangers = 0
    /// Attempts at all sinks, and the messages taken.
    package private(set) var begun = Timeline()
    package private(set) var taken = Timeline()
    /// Microseconds since 1970 at which the run began.
    private let origin: Int64
    /// Recipients in a batch at most; a higher index is not Flotilla's.
    private static let largestBatch = 10_000

    package init(origin: Int64) { self.origin = origin }

    mutating func note(_ line: RecordScan, of sink: String) {
        begun.note(line.begun - origin)
        sinks[sink, default: OfSink()].begun.note(line.begun - origin)
        guard line.isAccepted else {
            sinks[sink]?.refused.note(line.decided - origin)
            return
        }
        taken.note(line.decided - origin)
        sinks[sink]?.taken.note(line.decided - origin)
        guard let place = line.place, place.index < Self.largestBatch else {
            strangers += 1
            return
        }
        mailings[place.mailing, default: OfMailing()].take(place.batch, place.index, line.decided - origin)
    }
}
