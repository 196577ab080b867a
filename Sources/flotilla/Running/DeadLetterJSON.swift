import Ledger
import Model
import Telemetry

/// A dead letter as `dead list` and `dead show` print it for scripts. Times are ISO 8601 in UTC.
struct DeadLetterJSON: Encodable {
    struct Field: Encodable {
        let name: String
        /// Bytes that are not UTF-8 are replaced.
        let text: String
        let bytes: Int
    }

    let id: Int64
    let at: String
    let stream: String
    let entry: String
    let reason: String
    let mailing: String?
    let batch: Int?
    let dispatchNumber: Int?
    let bytes: Int
    /// It can be put back.
    let whole: Bool
    let retriedAt: String?
    /// Those of a letter that is shown by itself.
    let fields: [Field]?

    init(_ item: StoredDeadLetter, fields: [DeadLetter.Field]? = nil) {
        let letter = item.letter
        id = item.id
        at = Timestamp.text(letter.at)
        stream = letter.source.stream
        entry = letter.entry
        reason = letter.reason
        mailing = letter.mailing?.description
        batch = letter.batch
        dispatchNumber = letter.dispatchNumber
        bytes = item.bytes
        whole = letter.isWhole
        retriedAt = item.retried.map(Timestamp.text)
        self.fields = fields?.map { Field(name: $0.name, text: String(decoding: $0.value, as: UTF8.self), bytes: $0.value.count) }
    }
}
