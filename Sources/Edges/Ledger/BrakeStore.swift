package import Model
package import Policy

/// What the brake has to know of a mailing.
package struct BrakeFacts: Sendable, Equatable {
    package var state: MailingState
    /// When it was resumed last, in milliseconds since 1970; 0 for never.
    package var since: Int64
    /// What was sent since then, of the last day.
    package var windows: BrakeWindows
}

/// What the brake has found, and when it found it, in milliseconds since 1970.
package struct NotedBrakeFinding: Sendable, Equatable {
    package var finding: BrakeFinding
    package var at: Int64

    package init(finding: BrakeFinding, at: Int64) {
        self.finding = finding
        self.at = at
    }
}

extension NotedBrakeFinding: Encodable {
    private enum Key: String, CodingKey { case kind, window, level, events, messages, limit, at, text }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(finding.key.kind.rawValue, forKey: .kind)
        try container.encode(finding.key.window.rawValue, forKey: .window)
        try container.encode(finding.key.level.rawValue, forKey: .level)
        try container.encode(finding.events, forKey: .events)
        try container.encode(finding.of, forKey: .messages)
        try container.encode(Double(finding.limit) / 1000, forKey: .limit)
        try container.encode(MailingReport.text(at), forKey: .at)
        try container.encode(finding.words, forKey: .text)
    }
}

/// Counts complaints and hard bounces for the brake, and keeps what it finds.
package protocol BrakeStore: Sendable {
    /// - Returns: nil for a mailing that is not known.
    func brakeFacts(_ id: MailingID, now: Int64) async throws(LedgerError) -> BrakeFacts?

    /// Keeps findings, and pauses a mailing that is sending where one of them is to pause it, in one transaction. Nothing happens where
    /// the mailing was resumed after `since`.
    /// - Parameter since: as the facts have it that were judged.
    /// - Returns: the findings that were not known, and whether the mailing was paused now.
    func noteBrake(
        _ findings: [BrakeFinding], of id: MailingID, since: Int64, now: Int64
    ) async throws(LedgerError) -> (new: [BrakeFinding], isPaused: Bool)
}
