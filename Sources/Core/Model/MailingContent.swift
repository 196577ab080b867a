/// What a mailing sends by one channel, and through which provider. What holds for all channels, as the name and the lifetime, stands in
/// `Mailing`. It is JSON in the ledger and in Redis.
package struct MailingContent: Codable, Sendable, Equatable {
    package var provider: String
    package var from = ""
    package var replyTo = ""
    package var headers: [Mailing.Header]?
    package var subject = Mailing.Template.empty
    package var html = Mailing.Template.empty
    package var preheader: Mailing.Template?
    package var text = Mailing.Template.empty
    package var body = Mailing.Template.empty
    /// The names of the values of a recipient in the batches of this channel, as `Mailing.fields` has them.
    package var fields: [String]
    package var nestedFields: [String] = []
    package var files: MailFiles?
    package var tracking: MailingTracking?

    package init(provider: String, fields: [String] = ["id", "address"]) {
        self.provider = provider
        self.fields = fields
    }
}

extension Mailing {
    /// The mailing as another channel sends it.
    package func sent(by channel: Channel, _ content: MailingContent) -> Mailing {
        var mailing = self
        mailing.channel = channel
        mailing.provider = content.provider
        (mailing.from, mailing.replyTo, mailing.headers) = (content.from, content.replyTo, content.headers)
        (mailing.subject, mailing.html, mailing.text, mailing.body) = (content.subject, content.html, content.text, content.body)
        (mailing.fields, mailing.nestedFields) = (content.fields, content.nestedFields)
        (mailing.preheader, mailing.files, mailing.tracking) = (content.preheader, content.files, content.tracking)
        return mailing
    }
}
