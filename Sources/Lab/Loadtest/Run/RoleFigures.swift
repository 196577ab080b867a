/// The figures of a role's `/metrics` that a run needs: sums over all label sets, unless a property says otherwise.
struct RoleFigures: Sendable, Equatable {
    /// Attempts that ended, by outcome.
    var outcomes: [String: Double] = [:]
    var delivery = Histogram()
    var queueWait = Histogram()
    /// Batches; nil where the page has none.
    var ready: Double?
    var inFlight: Double?
    /// Seconds; nil where the page has none.
    var lag: Double?
    /// Entries of the status streams.
    var lagEntries: Double?

    init() {}

    /// Reads a page in the Prometheus text format, version 0.0.4; lines that are not understood are skipped.
    init(page: String) {
        for line in page.utf8.split(separator: UInt8(ascii: "\n")) where line.first == UInt8(ascii: "f") {
            guard let sample = Sample(line) else { continue }
            take(sample)
        }
    }

    private mutating func take(_ sample: Sample) {
        let value = sample.value
        switch sample.name {
        case "flotilla_messages_total":
            if let outcome = sample.label("outcome") { outcomes[outcome, default: 0] += value }
        case "flotilla_delivery_seconds_bucket":
            if let bound = sample.bound { delivery.add(value, upTo: bound) }
        case "flotilla_queue_wait_seconds_bucket":
            if let bound = sample.bound { queueWait.add(value, upTo: bound) }
        case "flotilla_batches_ready": ready = (ready ?? 0) + value
        case "flotilla_batches_in_flight": inFlight = (inFlight ?? 0) + value
        case "flotilla_status_lag_seconds": lag = max(lag ?? 0, value)
        case "flotilla_status_lag_entries": lagEntries = (lagEntries ?? 0) + value
        default: break
        }
    }

    /// Adds what only grows: counts of another process, or of one that has ended.
    mutating func addCounts(of other: RoleFigures) {
        outcomes.merge(other.outcomes, uniquingKeysWith: +)
        delivery += other.delivery
        queueWait += other.queueWait
    }
}

/// One line of a page: `name{label="value",…} number`.
private struct Sample {
    let name: String
    let labels: Substring.UTF8View
    let value: Double

    /// A larger figure, or a text that is no number, does not count.
    private static let most = 1e15

    init?(_ line: Substring.UTF8View) {
        let end = line.firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: " ") } ?? line.endIndex
        guard let space = line.lastIndex(of: UInt8(ascii: " ")), end <= space,
            let number = Double(String(Substring(line[line.index(after: space)...]))), abs(number) < Self.most
        else { return nil }
        name = String(Substring(line[..<end]))
        labels = line[end..<space]
        value = number
    }

    /// The value of a label. The labels that are asked for have no escapes in their values.
    func label(_ name: String) -> String? {
        let text = Substring(labels)
        guard let start = text.firstRange(of: "\(name)=\"") else { return nil }
        return String(text[start.upperBound...].prefix { $0 != "\"" })
    }

    var bound: Double? {
        guard let text = label("le") else { return nil }
        return text == "+Inf" ? .infinity : Double(text)
    }
}
