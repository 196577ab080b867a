/// One expectation of a scenario: a measure of the run, of its processes of a kind or of its mailings of a name, and its bound.
package struct ExpectationRule: Sendable, Equatable {
    package enum Measure: String, Sendable, CaseIterable {
        /// Messages that arrived by second, over the middle four fifths of them.
        case rate
        /// Most attempts that any second saw.
        case peakRate = "peak_rate"
        /// CPU of the fleet and its Redis for each message that arrived.
        case cpuPerMessage = "cpu_per_message"
        case queueWaitP50 = "queue_wait_p50"
        case queueWaitP99 = "queue_wait_p99"
        case deliveryP50 = "delivery_p50"
        case deliveryP99 = "delivery_p99"
        /// Recipients whose message was taken twice and who are not on the list of the uncertain.
        case duplicates
        /// Recipients that the ledger has as sent, and whose message no sink took.
        case losses
        /// Recipients on the list of the uncertain.
        case uncertain
        /// Recipients who ended as failed or expired.
        case failed
        /// From the start (of a mailing: from when it was added) to the last recipient's end.
        case duration
        /// Highest resident memory of a process.
        case memory
        /// By how much the resident memory of a process grew from the second tenth of its time to the last.
        case memoryGrowth = "memory_growth"
        /// Of each step: its rate by what the first step's rate a worker would give.
        case efficiency

        package var unit: Bound.Unit {
            switch self {
            case .rate, .peakRate: .rate
            case .cpuPerMessage, .queueWaitP50, .queueWaitP99, .deliveryP50, .deliveryP99, .duration: .time
            case .duplicates, .losses, .uncertain, .failed: .count
            case .memory: .size
            case .memoryGrowth, .efficiency: .share
            }
        }

        /// Whether it measures processes, and so is written above the kinds of processes.
        package var isByKind: Bool { self == .memory || self == .memoryGrowth }

        /// Measures that a mailing has.
        package static let ofMailings: [Measure] = [.rate, .duration, .duplicates, .losses, .uncertain, .failed]
        /// Measures of the run as a whole.
        package static let ofRuns: [Measure] = allCases.filter { !$0.isByKind }
    }

    package enum Subject: Sendable, Equatable {
        case run
        case kind(ProcessKind)
        /// By the name of its plan: each of several copies.
        case mailing(String)
    }

    package var subject: Subject
    package var measure: Measure
    package var bound: Bound
}
