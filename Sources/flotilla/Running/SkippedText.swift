import Ledger
import Model
import Telemetry

/// The place of a recipient in its mailing, as lists show it: `3.41` is the 42nd of the fourth batch.
struct SkippedPlace: Equatable {
    let batch: Int
    let index: Int

    /// - Returns: nil for what is no place.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard parts.count == 2, parts.allSatisfy({ $0 >= 0 }) else { return nil }
        (batch, index) = (parts[0], parts[1])
    }
}

/// The recipients of a mailing that were skipped when their batches were dispatched.
struct SkippedText {
    /// Which of them.
    struct Choice {
        var reason: ExclusionReason?
        var after: SkippedPlace?
        var limit: Int?
    }

    private static let page = 1000
    private let ledger: any OpenLedger
    private let mailing: MailingID
    private let choice: Choice

    init(_ ledger: any OpenLedger, _ mailing: MailingID, _ choice: Choice) {
        self.ledger = ledger
        self.mailing = mailing
        self.choice = choice
    }

    private struct Line: Encodable {
        let batch: Int
        let index: Int
        let reason: ExclusionReason
        let id: String
        let address: String
        let detail: String
        let at: String

        init(_ one: SkippedRecipient) {
            (batch, index, reason, id, address) = (one.batch, one.index, one.reason, one.id, one.address)
            (detail, at) = (one.detail, Timestamp.text(one.at))
        }
    }

    /// Writes them page by page.
    func write(_ form: MailingCommand.Excluded.Form, raw: Bool) async throws {
        if form == .csv { StandardOutput.write("batch,index,reason,id,address,detail,at") }
        var last = choice.after.map {
            SkippedRecipient(batch: $0.batch, index: $0.index, reason: .suppressed, id: "", address: "", detail: "", at: 0)
        }
        var (left, shown) = (choice.limit ?? Int.max, 0)
        while left > 0 {
            let page = try await ledger.skipped(mailing, after: last, limit: Self.page)
            guard let end = page.last else { break }
            let wanted = Array(page.filter { choice.reason == nil || $0.reason == choice.reason }.prefix(left))
            try write(wanted, form, isFirst: shown == 0, raw: raw)
            left -= wanted.count
            shown += wanted.count
            last = left == 0 ? wanted.last : end
        }
        guard form == .text else { return }
        if shown == 0 { return StandardOutput.write("no recipients\(choice.after == nil ? "" : " behind that place") were skipped") }
        guard left == 0, let last, let limit = choice.limit,
            try await !ledger.skipped(mailing, after: last, limit: 1).isEmpty
        else { return }
        let same = choice.reason.map { " --reason \($0.rawValue)" } ?? ""
        let next = "--skipped\(same) --after \(last.batch).\(last.index) --limit \(limit)"
        StandardOutput.write("\nmore: flotilla mailing excluded \(mailing) \(next)")
    }

    private func write(
        _ page: [SkippedRecipient], _ form: MailingCommand.Excluded.Form, isFirst: Bool, raw: Bool
    ) throws {
        switch form {
        case .json: for one in page { StandardOutput.write(json: try ScriptJSON.line(Line(one))) }
        case .csv:
            for one in page {
                let values = [String(one.batch), String(one.index), one.reason.rawValue, one.id, one.address, one.detail]
                StandardOutput.write(ExcludedText.csv(values + [Timestamp.text(one.at)], raw: raw))
            }
        case .text:
            guard !page.isEmpty else { return }
            let rows = page.map { one in
                [
                    "\(one.batch).\(one.index)", one.reason.rawValue, LogText.line(one.id).cut(to: 60, at: .end),
                    LogText.line(one.address).cut(to: 60, at: .end), Timestamp.text(one.at), one.detail,
                ]
            }
            let header = ["PLACE", "REASON", "ID", "ADDRESS", "SINCE", "WHY"]
            StandardOutput.write(TextTable(header: isFirst ? header : [], rows: rows).text)
        }
    }
}
