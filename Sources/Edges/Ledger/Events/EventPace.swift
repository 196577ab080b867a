/// When events are counted. A row of the counted ones holds the visits of 64 recipients, and a visit costs the more the fewer are added at
/// once: while many come, they gather in the ledger's log. A pure value; times are in milliseconds of any one clock.
package struct EventPace: Sendable {
    /// So many events of one transaction are counted in it.
    package static let atOnce = 1000
    /// While many come, a slice of a mailing is counted once it has so many: about sixteen for each row.
    package static let slice = 8000
    /// Events that one transaction takes from the log, about: others write in between.
    package static let taken = 32_000
    /// While many come, all are counted as often as that: so old are a report's numbers at most.
    package static let longest: Int64 = 10_000
    /// So long after the last events no more are expected soon.
    package static let quiet: Int64 = 500
    /// How often a log that was empty is looked at: another collector may have left events there.
    package static let idle: Int64 = 60_000

    /// When the log was last found empty, and whether it still is as far as this process knows.
    private var emptied: Int64?
    private var isEmpty = false
    /// When this process last wrote events, and whether there were more to come.
    private var lastWrite: (at: Int64, isBusy: Bool)?
    /// Something was written since slices were last counted.
    private var hasWritten = false

    package init() {}

    /// Notes a transaction.
    /// - Parameters:
    ///   - logged: events that it put into the log.
    ///   - isBusy: as many entries came as are read at once: there are more.
    package mutating func noteWrite(logged: Int, isBusy: Bool, at now: Int64) {
        if logged > 0 { (isEmpty, hasWritten) = (false, true) }
        lastWrite = (now, isBusy)
    }

    /// Notes that what was due was counted.
    package mutating func noteCounted(isEmpty: Bool, at now: Int64) {
        hasWritten = false
        self.isEmpty = isEmpty
        if isEmpty { emptied = now }
    }

    /// Slices of at least how many events are to be counted now; nil for none.
    package func least(at now: Int64) -> Int? {
        guard let emptied else { return 1 }
        if isEmpty { return now < emptied + Self.idle ? nil : 1 }
        guard let lastWrite, lastWrite.isBusy, now < lastWrite.at + Self.quiet, now < emptied + Self.longest else { return 1 }
        return hasWritten ? Self.slice : nil
    }
}
