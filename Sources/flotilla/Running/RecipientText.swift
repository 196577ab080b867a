import Ledger
import Model
import Telemetry

/// The state and the history of one recipient, for a terminal.
struct RecipientText {
    private let detail: RecipientDetail

    init(_ detail: RecipientDetail) { self.detail = detail }

    var text: String {
        var rows = [
            ["mailing", "\(detail.mailing) '\(detail.mailingName)'"],
            ["recipient", "\(detail.address) (id \(detail.id), batch \(detail.batch), index \(detail.index))"],
            ["state", "\(detail.state.name), \(counted(detail.attempts, "attempt"))"],
        ]
        if let skipped = detail.skipped {
            rows.append([Timestamp.text(skipped.at), "skipped: \(skipped.reason.rawValue) (\(skipped.detail))"])
        }
        if let due = detail.due { rows.append(["next attempt", Timestamp.text(due)]) }
        if !detail.messageID.isEmpty { rows.append(["provider message id", detail.messageID]) }
        for attempt in detail.history {
            let response = attempt.response.map { "\($0.code) \($0.text) (\($0.reason.rawValue), at \($0.stage.rawValue))" } ?? ""
            rows.append([
                Timestamp.text(attempt.at),
                "\(attempt.state.name) \(response) by \(attempt.worker)\(attempt.provider.isEmpty ? "" : " through \(attempt.provider)")",
            ])
        }
        for listing in detail.uncertain {
            if listing.worker.isEmpty { rows.append([Timestamp.text(listing.at), "uncertain: \(listing.why)"]) }
            if let settled = listing.settled, let outcome = listing.outcome {
                rows.append([
                    Timestamp.text(settled),
                    outcome == .resend ? "resent by a person's decision" : "settled as \(outcome.rawValue) by a person's decision",
                ])
            }
        }
        for round in detail.retried {
            rows.append([Timestamp.text(round.at), "round \(round.round): sent again by a person's order; it was \(round.state.name)"])
        }
        for event in detail.events { rows.append([Timestamp.text(event.at), "\(event.kind.rawValue) \(event.detail)"]) }
        for visit in detail.visits { rows.append([Timestamp.text(visit.at), visit.words]) }
        return TextTable(header: [], rows: rows).text + "\n"
    }
}
