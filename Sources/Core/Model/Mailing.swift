/// Everything that is fixed when a mailing is made: content, sender, channel, provider and options. It is JSON in the ledger and in Redis,
/// so that a worker needs nothing else but its providers.
package struct Mailing: Codable, Sendable, Equatable {
    /// What happens to a message that was in flight when its worker ended.
    package enum UncertainPolicy: String, Codable, Sendable, CaseIterable {
        /// Send again, under the same message id, so that a provider can drop the second.
        case redeliver
        /// Never send twice; a person decides.
        case hold
    }

    /// What happens to a mailing whose start was missed by more than the delay that it allows, because no planner ran.
    package enum MisfirePolicy: String, Codable, Sendable, CaseIterable {
        /// It is paused, and a person decides.
        case hold
        /// It is sent.
        case send
    }

    package var name: String
    package var channel: Channel
    /// A named provider of the configuration, or a URL: `smtp://`, `smtps://`, `http://`, `https://`.
    package var provider: String
    /// The sender: an RFC 5322 mailbox for e-mail, the sender id for SMS and messengers, empty for webhooks.
    package var from = ""
    /// A mailbox, perhaps with merge fields; empty for none.
    package var replyTo = ""
    /// Header fields of its own, in the order in which messages have them; nil for none. Only e-mail has them.
    package var headers: [Header]?
    package var subject = Template.empty
    package var html = Template.empty
    /// What mail programs show of a message beside its subject; nil for the begin of its text. Only HTML has it.
    package var preheader: Template?
    package var text = Template.empty
    /// The JSON body of webhooks.
    package var body = Template.empty
    /// The names of the values of a recipient, in the order in which batches hold them. The first two are always the
    /// recipient's id and address.
    package var fields: [String]
    /// Those of `fields` whose values may be JSON lists or objects (of NDJSON), which sections and dotted names look into.
    package var nestedFields: [String] = []
    /// The limit on the mailing's messages, as text (`500/s`); nil for none.
    package var speed: String?
    package var batchSize = 500
    /// Attempts at most for each recipient, from 1.
    package var attempts = 5
    /// How long after its start a mailing's message may still be tried, in seconds.
    package var lifetime = 86_400.0
    package var uncertain = UncertainPolicy.redeliver
    /// The misfire policy, by its name in the mailing file. Nil means `hold`; older mailings have none.
    package var late: MisfirePolicy?
    /// How long after its start a mailing may still begin by itself, in seconds; nil for an hour.
    package var maximumDelay: Double?
    /// The category that people can be unsubscribed from; nil for none.
    package var category: String?
    /// The files that each of its messages has; nil for none. Only e-mail has them.
    package var files: MailFiles?
    /// What it has of the tracker; nil for nothing.
    package var tracking: MailingTracking?

    /// A header field of an e-mail, whose value has merge fields.
    package struct Header: Codable, Sendable, Equatable {
        package var name: String
        package var value: Template

        package init(name: String, value: Template) {
            self.name = name
            self.value = value
        }
    }

    /// A template's source, and the place that errors name.
    package struct Template: Codable, Sendable, Equatable {
        package var source: String
        /// The file the source came from, for messages.
        package var file: String
        /// The line of the file on which the source starts, from 1.
        package var line: Int

        package init(source: String, file: String = "", line: Int = 1) {
            self.source = source
            self.file = file
            self.line = line
        }

        package static let empty = Template(source: "")
        package var isEmpty: Bool { source.isEmpty }
    }

    /// Refuses numbers that cannot be: a definition is read from Redis and from the ledger, where others may write.
    package func check() throws(WireError) {
        let spans = [lifetime, maximumDelay ?? 0]
        let templates = [subject, html, text, body] + (preheader.map { [$0] } ?? []) + (headers ?? []).map(\.value)
        let lines = templates.map(\.line)
        guard (1...Int(WireLimit.index.upperBound)).contains(batchSize), (1...Int(WireLimit.count.upperBound)).contains(attempts),
            spans.allSatisfy({ (0...Self.longest).contains($0) }), lines.allSatisfy({ (0...Int(WireLimit.count.upperBound)).contains($0) })
        else { throw WireError("a number of its definition is out of range") }
        guard fields.count >= 2 else { throw WireError("its definition has no fields for id and address") }
    }

    /// The lifetime of its messages in milliseconds, a hundred years at most.
    package var lifetimeMilliseconds: Int64 { Int64(min(lifetime, Self.longestLifetime) * 1000) }

    private static let longestLifetime = 3_155_760_000.0

    /// Seconds that a lifetime or a delay may last, so that milliseconds of it fit into 64 bits.
    private static let longest = 1e15

    package init(name: String, channel: Channel, provider: String, fields: [String] = ["id", "address"]) {
        self.name = name
        self.channel = channel
        self.provider = provider
        self.fields = fields
    }
}
