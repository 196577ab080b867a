import Model

/// Mailings whose recipients this planner cannot read: it leaves them to planners on other machines, and looks again from time to time.
/// Times are milliseconds of one clock.
struct LeftMailings {
    /// How long until it looks again.
    static let interval: Int64 = 10_000

    private struct Entry {
        var since: Int64
        var next: Int64
    }

    private var entries: [MailingID: Entry] = [:]

    var count: Int { entries.count }

    /// A mailing's recipients could not be read.
    /// - Returns: for how long that has been so; nil for the first time.
    mutating func leave(_ id: MailingID, now: Int64) -> Int64? {
        let since = entries[id]?.since
        entries[id] = Entry(since: since ?? now, next: now + Self.interval)
        return since.map { now - $0 }
    }

    /// Somebody is at it: the time from the first failure runs anew.
    mutating func postpone(_ id: MailingID, now: Int64) { entries[id]?.since = now }

    /// It is not looked at yet.
    func isLeft(_ id: MailingID, now: Int64) -> Bool { entries[id].map { now < $0.next } ?? false }

    /// Forgets all but those that still wait.
    mutating func keep(_ waiting: [MailingID]) {
        guard !entries.isEmpty else { return }
        let waiting = Set(waiting)
        entries = entries.filter { waiting.contains($0.key) }
    }

    /// Forgets one, which was read.
    mutating func remove(_ id: MailingID) { entries[id] = nil }

    /// When the next one is to be looked at again; nil for none.
    var next: Int64? { entries.values.map(\.next).min() }
}
