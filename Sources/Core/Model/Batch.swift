import Text

/// One batch of one mailing: the unit that is planned, dispatched, leased and closed.
package struct BatchID: Hashable, Sendable, CustomStringConvertible {
    package let mailing: MailingID
    /// Its number within the mailing, from 0.
    package let number: Int

    package init(mailing: MailingID, number: Int) {
        self.mailing = mailing
        self.number = number
    }

    package var description: String { "\(mailing)/\(number)" }

    /// The id of a recipient's message, the same at every attempt: of the Message-ID header, the idempotency key and the logs.
    package func message(_ index: Int) -> String { messagePrefix + String(index) }

    /// What the ids of its recipients' messages begin with; their indexes follow.
    package var messagePrefix: String { "\(mailing).\(number)." }
}

/// One dispatch of a batch.
package struct Dispatch: Hashable, Sendable {
    package let batch: BatchID
    package let dispatchNumber: Int

    package init(batch: BatchID, dispatchNumber: Int) {
        self.batch = batch
        self.dispatchNumber = dispatchNumber
    }
}

/// A recipient to be sent to in a dispatch of a batch.
package struct OpenRecipient: Sendable, Equatable {
    /// Its place in the batch, from 0.
    package var index: Int
    /// Attempts already spent on it.
    package var attempts: Int

    package init(index: Int, attempts: Int) {
        self.index = index
        self.attempts = attempts
    }
}

/// A batch as it is dispatched to workers: its recipients, and which of them are still to be sent to.
package struct DispatchedBatch: Sendable {
    package var id: BatchID
    /// How often the batch has been dispatched, from 1; it tells results of this dispatch from those of an earlier one.
    package var dispatchNumber: Int
    /// The wire form of its `Recipients`.
    package var recipients: [UInt8]
    /// Recipients in it.
    package var count: Int
    /// The recipients of this dispatch; nil for all, at the first attempt.
    package var open: [OpenRecipient]?
    /// When the mailing's messages expire, in milliseconds since 1970.
    package var expires: Int64
    /// When it was dispatched, in milliseconds since 1970.
    package var dispatched: Int64
    /// The provider that the mailing names, by its name or URL; empty where the entry does not say.
    package var provider = ""
    /// By which it is sent; nil for that of its mailing.
    package var channel: Channel?
    /// Somebody of the mailing had been accepted when it was dispatched.
    package var isProven = false

    package init(
        id: BatchID, dispatchNumber: Int, recipients: [UInt8], count: Int, open: [OpenRecipient]?, expires: Int64, dispatched: Int64
    ) {
        self.id = id
        self.dispatchNumber = dispatchNumber
        self.recipients = recipients
        self.count = count
        self.open = open
        self.expires = expires
        self.dispatched = dispatched
    }
}

extension [OpenRecipient] {
    /// The wire form: a JSON array of `[index, attempts]`.
    package func encoded() -> [UInt8] {
        var out = JSONWriter(capacity: count * 8 + 2)
        out.beginArray()
        for item in self {
            out.beginArray()
            out.int(Int64(item.index))
            out.int(Int64(item.attempts))
            out.endArray()
        }
        out.endArray()
        return out.bytes
    }

    package init(decoding wire: [UInt8]) throws(WireError) {
        var items: [OpenRecipient] = []
        try WireReader.array(wire) { reader throws(WireError) in
            try reader.beginArray()
            let index = try Int(reader.int(in: WireLimit.index))
            try reader.next()
            let attempts = try Int(reader.int(in: WireLimit.count))
            try reader.endArray()
            guard items.last.map({ $0.index < index }) ?? true else { throw WireError("recipient \(index) is out of order") }
            items.append(OpenRecipient(index: index, attempts: attempts))
        }
        self = items
    }
}
