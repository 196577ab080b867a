import Metrics
import Model

/// Counts recipients that are skipped, as their batches are dispatched or before they are started, once that is committed.
enum SkipMeter {
    private static let suppressed = Counter(
        label: "flotilla_recipients_skipped_total", dimensions: [("reason", ExclusionReason.suppressed.rawValue)])

    /// None is counted too, so that the series is there from the first dispatch on.
    static func count(suppressed number: Int) { suppressed.increment(by: number) }
}
