/// What a number in our wire formats may be. Decoders refuse any other, so that no sum or product of decoded numbers can overflow.
package enum WireLimit {
    /// Milliseconds, since 1970 or of a span: some 285,000 years.
    package static let time: ClosedRange<Int64> = 0...(1 << 53)
    /// Milliseconds between two times.
    package static let difference: ClosedRange<Int64> = -(1 << 53)...(1 << 53)
    /// Whatever is counted or numbered: batches, dispatches, attempts, groups.
    package static let count: ClosedRange<Int64> = 0...(1 << 31 - 1)
    /// A place in a batch; a mailing file allows batches of 10,000.
    package static let index: ClosedRange<Int64> = 0...99_999
    /// Bytes of a provider's text, or of an event's detail.
    package static let text = 8_192
    /// Bytes of a batch's recipients in their wire form, where `planner.batch_bytes` says nothing else.
    package static let batchBytes = 1 << 20
    /// Bytes of a single recipient in its wire form; one that takes more than a batch should is a batch by itself.
    package static let recipientBytes = 16 << 20
    /// A code of SMTP or HTTP.
    package static let code: ClosedRange<Int64> = 0...999_999
}
