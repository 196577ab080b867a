/// What a late acceptance changes of a mailing, in SQL that both engines take.
enum LateAcceptance {
    /// Sets a mailing to `sent` that had failed because nobody was sent to. The parameters are the time, in milliseconds since 1970, and
    /// its id.
    static let sql = """
        UPDATE mailing SET state = 'sent', reason_kind = '', actor = '', reason = '', state_changed = ?
        WHERE id = ? AND state = 'failed' AND reason_kind = 'nobody'
        """
}
