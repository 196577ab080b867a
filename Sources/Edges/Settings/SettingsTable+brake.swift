import Policy

/// When complaints and hard bounces pause a mailing.
extension SettingsTable {
    static let brakeComplaintsHour = Setting.brakeLimit(
        "brake.complaints_hour", default: "0.5/1",
        "Shares of an hour's messages, in percent, that are called spam: the first warns, the second pauses the mailing: "
            + "[brake.md](brake.md).")
    static let brakeComplaintsDay = Setting.brakeLimit("brake.complaints_day", default: "0.15/0.3", "The same of 24 hours.")
    static let brakeBouncesHour = Setting.brakeLimit(
        "brake.bounces_hour", default: "5/10", "Shares of an hour's messages, in percent, that bounce for good, as above.")
    static let brakeBouncesDay = Setting.brakeLimit("brake.bounces_day", default: "2.5/5", "The same of 24 hours.")
    static let brakeLeastSent = Setting.integer(
        "brake.least_sent", 1...1_000_000, default: "200", "Fewer messages in the window neither warn nor pause.")
    static let brakeLeastEvents = Setting.integer(
        "brake.least_events", 1...1_000_000, default: "5", "Fewer complaints, or bounces, in the window neither warn nor pause.")
}
