package import Model

/// One attempt on one recipient, as its result came in.
package struct AttemptRecord: Sendable, Equatable {
    /// When, in milliseconds since 1970.
    package var at: Int64
    package var state: RecipientState
    /// Attempts spent, this one included.
    package var attempts: Int
    package var response: ProviderResponse?
    package var dispatchNumber: Int
    package var worker: String
    /// The provider that it went to; empty where that is not known.
    package var provider: String
}

/// All that the ledger knows of one recipient of one mailing.
package struct RecipientDetail: Sendable, Equatable {
    /// A value of the recipient, with the name of its field.
    package struct Value: Sendable, Equatable {
        package var field: String
        package var text: String
    }

    package var mailing: MailingID
    package var mailingName: String
    package var batch: Int
    /// Its place in the batch, from 0.
    package var index: Int
    package var id: String
    package var address: String
    /// Every value, id and address included, in the order of the mailing's fields.
    package var values: [Value]
    package var state: RecipientState
    package var attempts: Int
    /// When the next attempt is due, in milliseconds since 1970; nil unless deferred.
    package var due: Int64?
    /// Why it was skipped when its batch was dispatched; nil unless it was.
    package var skipped: SkippedRecipient?
    /// What became of each attempt, by time.
    package var history: [AttemptRecord]
    /// When it was not known whether a message arrived, and what a person decided then, by time.
    package var uncertain: [UncertainListing]
    /// When the message was sent again by a person's order, by time.
    package var retried: [RetriedRecipient]
    package var events: [RecipientEvent]
    /// What visitors of the message's links did, by time.
    package var visits: [EventDetail]

    /// The last response of a provider.
    package var lastAnswer: ProviderResponse? { history.last { $0.response != nil && $0.state != .uncertain }?.response }

    /// The provider's own name for the message; empty where it gave none.
    package var messageID: String { history.last { $0.response?.messageID.isEmpty == false }?.response?.messageID ?? "" }
}
