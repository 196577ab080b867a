package import Foundation
import Model
import Policy

extension MailingReport: Encodable {
    private enum Key: String, CodingKey {
        case id, name, channel, state, reason, actor, stuck, recipients, planned, excluded, skipped, unverified, states, failures,
            deferrals,
            uncertain, rounds, events, tracking,
            timeline, brake
        case created, started, finished, pruned, seconds, balances
        case reasonKind = "reason_kind"
        case messagesPerSecond = "messages_per_second"
        case reconciled
    }

    private struct Failures: Encodable {
        var reasons: [String: Int]
        /// The deprecated name of `reasons`.
        var classes: [String: Int]
        var responses: [ResponseCount]
        /// The deprecated name of `responses`.
        var answers: [ResponseCount]
    }

    /// Times are ISO 8601 in UTC; `delivered` is there only when a provider reported a delivery, since most cannot tell.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id.description, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(channel, forKey: .channel)
        try container.encode(state, forKey: .state)
        if !reason.isEmpty { try container.encode(reason, forKey: .reason) }
        try container.encodeIfPresent(stateReason.kind?.rawValue, forKey: .reasonKind)
        if !stateReason.actor.isEmpty { try container.encode(stateReason.actor, forKey: .actor) }
        if !stuckReason.isEmpty { try container.encode(stuckReason, forKey: .stuck) }
        try container.encode(planned, forKey: .recipients)
        // The deprecated name of `recipients`.
        try container.encode(planned, forKey: .planned)
        let excluded = excluded.map { ($0.key.rawValue, $0.value) }
        try container.encode(Dictionary(excluded, uniquingKeysWith: +), forKey: .excluded)
        if !skipped.isEmpty {
            try container.encode(Dictionary(skipped.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: +), forKey: .skipped)
        }
        if unverified > 0 { try container.encode(unverified, forKey: .unverified) }
        let states = states.filter { $0.key != .delivered || $0.value > 0 }.map { ($0.key.name, $0.value) }
        try container.encode(Dictionary(states, uniquingKeysWith: +), forKey: .states)
        try container.encode(Failures(reasons: failures, classes: failures, responses: responses, answers: responses), forKey: .failures)
        try container.encode(deferrals, forKey: .deferrals)
        try container.encode(uncertain, forKey: .uncertain)
        if !rounds.isEmpty { try container.encode(rounds, forKey: .rounds) }
        let events = events.map { ($0.key.rawValue, $0.value) }
        try container.encode(Dictionary(events, uniquingKeysWith: { first, _ in first }), forKey: .events)
        if let visits { try container.encode(Tracking(self, visits), forKey: .tracking) }
        try container.encode(timeline, forKey: .timeline)
        if !brake.isEmpty { try container.encode(brake, forKey: .brake) }
        try container.encode(Self.text(created), forKey: .created)
        try container.encode(started.map(Self.text), forKey: .started)
        try container.encode(finished.map(Self.text), forKey: .finished)
        try container.encodeIfPresent(pruned.map(Self.text), forKey: .pruned)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(messagesPerSecond, forKey: .messagesPerSecond)
        try container.encode(balances, forKey: .reconciled)
        // The deprecated name of `reconciled`.
        try container.encode(balances, forKey: .balances)
    }

    /// What visitors did, with the rates that people's visits are of those who got the message.
    private struct Tracking: Encodable {
        /// Null where the channel cannot tell.
        var delivered: Int?
        var sent: Int
        var rates: [String: Double]
        /// What the rates are of: `delivered` or `sent`.
        var ratesOf: String
        var visits: EventReport

        private enum Key: String, CodingKey {
            case delivered, sent, rates
            case ratesOf = "rates_of"
        }

        init(_ report: MailingReport, _ visits: EventReport) {
            let reached = report.reached
            delivered = report.delivered
            sent = report.accepted
            ratesOf = reached.isDelivered ? "delivered" : "sent"
            func rate(_ count: Int) -> Double { reached.count > 0 ? Double(count) / Double(reached.count) : 0 }
            rates = [
                "opened_human": rate(visits[.open][.human].unique), "opened_proxied": rate(visits[.open][.proxied].unique),
                "clicked_human": rate(visits[.click][.human].unique), "unsubscribed": rate(visits[.unsubscribe].all.unique),
            ]
            self.visits = visits
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(delivered, forKey: .delivered)
            try container.encode(sent, forKey: .sent)
            try container.encode(rates, forKey: .rates)
            try container.encode(ratesOf, forKey: .ratesOf)
            try visits.encode(to: encoder)
        }
    }

    /// The report as a JSON object, indented, with its keys in order.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

extension MailingRound: Encodable {
    private enum Key: String, CodingKey { case number, at, actor, reasons, recipients, states }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(number, forKey: .number)
        try container.encodeIfPresent(at.map(MailingReport.text), forKey: .at)
        if !actor.isEmpty { try container.encode(actor, forKey: .actor) }
        if !reasons.isEmpty { try container.encode(reasons, forKey: .reasons) }
        try container.encode(recipients, forKey: .recipients)
        try container.encode(Dictionary(states.map { ($0.key.name, $0.value) }, uniquingKeysWith: +), forKey: .states)
    }
}

extension MailingReport.ResponseCount: Encodable {
    private enum Key: String, CodingKey {
        case reason
        /// The deprecated name of `reason`.
        case kind = "class"
        case code, text, count
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(reason?.rawValue ?? "none", forKey: .reason)
        try container.encode(reason?.rawValue ?? "none", forKey: .kind)
        try container.encode(code, forKey: .code)
        try container.encode(text, forKey: .text)
        try container.encode(count, forKey: .count)
    }
}

extension MailingReport.Moment: Encodable {
    private enum Key: String, CodingKey { case start, sent, failed, deferred }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(MailingReport.text(second * 1000), forKey: .start)
        try container.encode(sent, forKey: .sent)
        try container.encode(failed, forKey: .failed)
        try container.encode(deferred, forKey: .deferred)
    }
}
