package import Model

/// What became of a mailing, in numbers that add up.
package struct MailingReport: Sendable, Equatable {
    /// Recipients that ended, or wait, with one response.
    package struct ResponseCount: Sendable, Equatable {
        /// Nil where no provider answered.
        package var reason: ResponseReason?
        /// SMTP reply code or HTTP status; 0 where there was none.
        package var code: Int
        /// The response without what differs from one recipient to the next.
        package var text: String
        package var count: Int

        package init(reason: ResponseReason?, code: Int, text: String, count: Int) {
            self.reason = reason
            self.code = code
            self.text = text
            self.count = count
        }
    }

    /// A stretch of the mailing's time.
    package struct Moment: Sendable, Equatable {
        /// Its start, in seconds since 1970.
        package var second: Int64
        package var sent: Int
        package var failed: Int
        package var deferred: Int
    }

    package var id: MailingID
    package var name: String
    package var channel: Channel
    package var state: MailingState
    package var stateReason: StateReason
    /// Why a mailing that is sending gets no further; empty for one that does.
    package var stuckReason: String
    package var planned: Int
    /// Excluded rows, by reason.
    package var excluded: [ExclusionReason: Int]
    /// Planned recipients whose telephone number is in no range that is known.
    package var unverified: Int
    /// Since when its recipients are not kept any more, in milliseconds since 1970: the numbers are all that there is. Nil while they are.
    package var pruned: Int64?
    /// Recipients by state, for each state.
    package var states: [RecipientState: Int]
    /// Skipped recipients, by the reason for which they are none any more.
    package var skipped: [ExclusionReason: Int]
    /// Failed and expired recipients by reason of the last response; the key is `none` where no provider answered.
    package var failures: [String: Int]
    /// The ten commonest last responses of failed and expired recipients.
    package var responses: [ResponseCount]
    /// The ten commonest responses of those who wait for another attempt.
    package var deferrals: [ResponseCount]
    /// Those whom a message may have reached that no response tells of.
    package var uncertain: UncertainCounts
    /// Its rounds, counted apart; empty where there is but the first.
    package var rounds: [MailingRound]
    /// Events by kind: how many, and of how many recipients.
    package var events: [EventKind: EventCount]
    /// What the brake has found since the mailing was resumed last, the oldest first.
    package var brake: [NotedBrakeFinding] = []
    /// What visitors of its messages' links did; nil where nobody came.
    package var visits: EventReport?
    /// What happened in each stretch of `step` seconds in which something did; at most some 200 of them.
    package var timeline: [Moment]
    package var step: Int64
    package var created: Int64
    /// Milliseconds since 1970; nil until it has come.
    package var started: Int64?
    package var finished: Int64?
    /// From the start to the end, or to now.
    package var seconds: Double
    /// Messages that a provider took, by second of `seconds`.
    package var messagesPerSecond: Double
    /// The planned recipients equal the sum of the states, and failed and expired ones that of the reasons.
    package var balances: Bool

    package struct EventCount: Sendable, Equatable, Encodable {
        package var count: Int
        package var recipients: Int
    }

    /// Why it is paused or stopped, or has failed, or gets no further, in words; empty otherwise.
    package var reason: String { stuckReason.isEmpty ? stateReason.words(state) : "stuck: \(stuckReason)" }

    /// What rates are of: those to whom it was delivered, or, while receipts tell of no more than half, all to whom it was sent: the others
    /// may have it too.
    package var reached: (count: Int, isDelivered: Bool) {
        self[.delivered] > self[.sent] ? (self[.delivered], true) : (accepted, false)
    }

    /// How many a provider has taken the message for, and not returned it.
    package var accepted: Int { self[.sent] + self[.delivered] }

    /// To how many it was delivered, as receipts tell; nil where there is none, as of a channel that cannot tell.
    package var delivered: Int? { self[.delivered] > 0 ? self[.delivered] : nil }

    package subscript(state: RecipientState) -> Int { states[state] ?? 0 }
}
