/// The counts of the uncertain, in SQL that both engines take.
extension UncertainCounts {
    /// Selects how many recipients of a mailing were ever on the list, how many of them were sent to once more, and how many have another
    /// end than sent though a message may have reached them.
    /// - Parameter mailing: the expression of the mailing's id.
    static func query(of mailing: String) -> String {
        """
        SELECT count(*) AS listed, coalesce(sum(again), 0) AS again, coalesce(sum(unresolved), 0) AS unresolved FROM (
            SELECT max(CASE WHEN \(isAgain) THEN 1 ELSE 0 END) AS again, \(unresolved) AS unresolved
            FROM uncertain u JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch
            WHERE u.mailing = \(mailing) GROUP BY u.batch, u.idx) AS listed
        """
    }

    /// Selects batch and index of the recipients of a mailing's batches who have another end than sent though a message may have reached
    /// them. Its parameters are the mailing's id, and the batch before the first one and the last one.
    static let unresolvedPlaces = """
        SELECT u.batch, u.idx FROM uncertain u JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch
        WHERE u.mailing = ?1 AND u.batch > ?2 AND u.batch <= ?3 GROUP BY u.batch, u.idx HAVING \(unresolved) = 1
        """

    private static let state = "substr(p.states, u.idx + 1, 1)"

    /// The recipient was to be sent to again, and was not suppressed or stopped before. A recipient with a result of the lost dispatch
    /// was not sent to twice.
    private static let isAgain = """
        (u.held = 0 OR u.outcome = 'resend') AND \(state) NOT IN ('x', 'k') AND (\(state) IN ('p', 'd') OR p.dispatch > u.dispatch)
        """

    /// 1 for a recipient who was uncertain, and ended as stopped, skipped, expired or failed; a person who decides on failed knows that
    /// nothing arrived.
    private static let unresolved = """
        CASE WHEN max(CASE WHEN u.outcome = 'failed' THEN 1 ELSE 0 END) = 0
            AND max(CASE WHEN \(state) IN ('x', 'k', 'e', 'f') THEN 1 ELSE 0 END) = 1 THEN 1 ELSE 0 END
        """
}
