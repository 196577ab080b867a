/// Why a row of the input is no recipient of the mailing.
package enum ExclusionReason: String, Codable, Sendable, CaseIterable {
    case noAddress = "no_address"
    case invalidAddress = "invalid_address"
    /// It is no row of its file: too few values, no UTF-8, no JSON object.
    case invalidRow = "invalid_row"
    /// With its values the message would be no JSON.
    case invalidBody = "invalid_body"
    case duplicate
    /// Its values take more bytes than a batch may have.
    case tooLarge = "too_large"
    /// An earlier mailing of the same identity has reached it, or may have.
    case sentBefore = "sent_before"
    case unsubscribed, suppressed
    case controlGroup = "control_group"
    case policy
}

/// A row of the input that was excluded.
package struct Exclusion: Sendable, Equatable {
    /// The row of the input, from 1 for the first recipient.
    package var row: Int
    package var reason: ExclusionReason
    package var id: String
    package var address: String
    /// What exactly was wrong, in a few words; empty where the reason says it all.
    package var detail: String

    package init(row: Int, reason: ExclusionReason, id: String, address: String, detail: String = "") {
        self.row = row
        self.reason = reason
        self.id = id
        self.address = address
        self.detail = detail
    }
}
