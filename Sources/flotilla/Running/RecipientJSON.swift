import Ledger
import Model
import Policy
import Telemetry

/// A recipient of a mailing as `mailing recipient` and `mailing history` print it for scripts. Times are ISO 8601 in UTC.
struct RecipientJSON: Encodable {
    struct Attempt: Encodable {
        let at: String
        let state: String
        let code: Int?
        let text: String?
        let reason: ResponseReason?
        let stage: DeliveryStage?
        let provider: String
        let worker: String
        let dispatchNumber: Int
    }

    struct Uncertainty: Encodable {
        let at: String
        let why: String
        let held: Bool
        let settledAt: String?
        let outcome: String?
    }

    struct Retrial: Encodable {
        let at: String
        let round: Int
        /// What the recipient had come to.
        let before: String
    }

    struct EventLine: Encodable {
        let at: String
        let event: String
        let detail: String?
    }

    struct Visit: Encodable {
        let at: String
        let event: String
        let method: String
        /// human, proxied or machine.
        let visitor: String
        let link: Int?
        let agent: String
        let network: String?
        let address: String?
    }

    struct Skip: Encodable {
        let at: String
        let reason: String
        let detail: String
    }

    let mailing: String
    let name: String
    let id: String
    let address: String
    let batch: Int
    let index: Int
    let state: String
    let attempts: Int
    let due: String?
    let skipped: Skip?
    /// The provider's own name for the message.
    let providerMessageId: String?
    let values: [String: String]
    let history: [Attempt]
    let uncertain: [Uncertainty]
    /// When it was sent again by a person's order.
    let retried: [Retrial]
    let events: [EventLine]
    let visits: [Visit]
    /// Addresses of other recipients of the mailing with this id.
    let sameId: [String]?

    init(_ detail: RecipientDetail, sameID: [String] = []) {
        sameId = sameID.isEmpty ? nil : sameID
        mailing = detail.mailing.description
        name = detail.mailingName
        id = detail.id
        address = detail.address
        batch = detail.batch
        index = detail.index
        state = detail.state.name
        attempts = detail.attempts
        due = detail.due.map(Timestamp.text)
        skipped = detail.skipped.map { Skip(at: Timestamp.text($0.at), reason: $0.reason.rawValue, detail: $0.detail) }
        providerMessageId = detail.messageID.isEmpty ? nil : detail.messageID
        values = Dictionary(detail.values.map { ($0.field, $0.text) }) { first, _ in first }
        history = detail.history.map { attempt in
            Attempt(
                at: Timestamp.text(attempt.at), state: attempt.state.name, code: attempt.response?.code, text: attempt.response?.text,
                reason: attempt.response?.reason, stage: attempt.response?.stage, provider: attempt.provider, worker: attempt.worker,
                dispatchNumber: attempt.dispatchNumber)
        }
        uncertain = detail.uncertain.map { listing in
            Uncertainty(
                at: Timestamp.text(listing.at), why: listing.why, held: listing.isHeld, settledAt: listing.settled.map(Timestamp.text),
                outcome: listing.outcome?.rawValue)
        }
        retried = detail.retried.map { Retrial(at: Timestamp.text($0.at), round: $0.round, before: $0.state.name) }
        events = detail.events.map { event in
            EventLine(at: Timestamp.text(event.at), event: event.kind.rawValue, detail: event.detail.isEmpty ? nil : event.detail)
        }
        visits = detail.visits.map { visit in
            Visit(
                at: Timestamp.text(visit.at), event: visit.name, method: "\(visit.method)", visitor: visit.visitor.name, link: visit.link,
                agent: visit.agent, network: visit.network.isEmpty ? nil : visit.network,
                address: visit.address.isEmpty ? nil : visit.address)
        }
    }
}
