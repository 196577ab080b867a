import Ledger
import Model
import Telemetry

/// A receipt that names no message of the ledger, for a terminal.
enum UnknownReceiptText {
    static func line(_ unknown: UnknownReceipt) -> String {
        let one = unknown.receipt
        let parts = [
            Timestamp.text(one.arrived), one.webhook, one.kind == .unknown ? "unknown '\(one.word)'" : one.kind.name,
            one.messageID.isEmpty ? one.providerID : one.messageID, one.recipient, one.detail,
            unknown.until > Clock.milliseconds() ? "tried again until \(Timestamp.text(unknown.until))" : "",
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }
}

/// The same for scripts. Times are ISO 8601 in UTC.
struct UnknownReceiptJSON: Encodable {
    let arrivedAt: String
    let at: String?
    let webhook: String
    let provider: String
    let kind: String
    let word: String
    let providerID: String
    let messageID: String
    let recipient: String
    let detail: String
    let triedUntil: String?

    init(_ unknown: UnknownReceipt) {
        let one = unknown.receipt
        arrivedAt = Timestamp.text(one.arrived)
        at = one.time.map { Timestamp.text($0) }
        (webhook, provider, kind, word) = (one.webhook, one.provider, one.kind.name, one.word)
        (providerID, messageID, recipient, detail) = (one.providerID, one.messageID, one.recipient, one.detail)
        triedUntil = unknown.until > 0 ? Timestamp.text(unknown.until) : nil
    }
}
