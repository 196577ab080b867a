import Model
import Policy

extension MailingCheck {
    /// When the mailing starts, in milliseconds since 1970, and what becomes of it when that is missed.
    mutating func schedule(_ mailing: inout Mailing) -> Int64? {
        if let late = text("late") { mailing.late = choice("late", late) }
        mailing.maximumDelay = span("max_delay")
        guard let entry = entry("start") else {
            for key in ["late", "max_delay"] {
                guard let entry = self.entry(key) else { continue }
                report(entry, at: entry.keyPlace, "is only used together with start; leave it out")
            }
            return nil
        }
        guard let start = text("start") else { return nil }
        do {
            return try Moment(start).milliseconds
        } catch {
            report(entry, error.description)
            return nil
        }
    }
}
