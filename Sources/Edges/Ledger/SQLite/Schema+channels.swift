/// The 38th migration: by which channel a batch is sent, so that a mailing may have several one day.
extension Schema {
    /// Null for a batch that an older release has planned: its mailing's channel.
    static let channels = "ALTER TABLE batch ADD COLUMN channel TEXT"
}
