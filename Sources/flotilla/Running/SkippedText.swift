import Ledger
import Model
import Telemetry

/// The recipients of a mailing that were skipped when their batches were dispatched.
struct SkippedText {
    private let ledger: any OpenLedger
    private let mailing: MailingID

    init(_ ledger: any OpenLedger, _ mailing: MailingID) {
        self.ledger = ledger
        self.mailing = mailing
    }

    private struct Line: Encodable {
        let batch: Int
        let index: Int
        let reason: ExclusionReason
        let id: String
        let address: String
        let detail: String
        let at: String
    }

    /// Writes them page by page.
    func write(asJSON isJSON: Bool) async throws {
        var last: SkippedRecipient?
        while true {
            let page = try await ledger.skipped(mailing, after: last, limit: 1000)
            if page.isEmpty, last == nil, !isJSON { return StandardOutput.write("no recipients were skipped") }
            guard !page.isEmpty else { return }
            if isJSON {
                for one in page {
                    let line = Line(
                        batch: one.batch, index: one.index, reason: one.reason, id: one.id, address: one.address, detail: one.detail,
                        at: Timestamp.text(one.at))
                    StandardOutput.write(json: try ScriptJSON.line(line))
                }
            } else {
                let rows = page.map { one in
                    [
                        "\(one.batch).\(one.index)", one.reason.rawValue, LogText.line(one.id).cut(to: 60, at: .end),
                        LogText.line(one.address).cut(to: 60, at: .end), Timestamp.text(one.at), one.detail,
                    ]
                }
                let header = ["PLACE", "REASON", "ID", "ADDRESS", "SINCE", "WHY"]
                StandardOutput.write(TextTable(header: last == nil ? header : [], rows: rows).text)
            }
            last = page.last
        }
    }
}
