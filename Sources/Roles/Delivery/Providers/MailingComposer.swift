package import Model
package import Signing
package import Templates
import Text
package import Transport

/// Makes the messages of one mailing as they go to its provider: texts, signatures and envelopes. Workers send what it makes, and a preview
/// shows it.
package struct MailingComposer: Sendable {
    private enum Content: Sendable {
        case email(EmailComposer)
        case body(BodyComposer)
    }

    /// The mailing's id as text.
    private let name: String
    private let channel: Channel
    private let content: Content
    /// The envelope's sender; empty for channels without one.
    let sender: String
    /// Signs its messages; nil where nothing does.
    package let signer: (any MessageSigner)?
    private let returns: WorkerConfiguration.Returns?

    /// The fleet's settings that messages are made with.
    package struct Setting: Sendable {
        /// Sign messages of their domains.
        package var keys: DKIMKeys?
        /// Signs the mailing's links to the tracker; nil where it has none.
        package var tracking: MessageTracking?
        /// Where its messages come back to; nil where that is its sender.
        package var returns: WorkerConfiguration.Returns?

        package init(keys: DKIMKeys? = nil, tracking: MessageTracking? = nil, returns: WorkerConfiguration.Returns? = nil) {
            (self.keys, self.tracking, self.returns) = (keys, tracking, returns)
        }
    }

    /// - Throws: `TemplateError` with all that is wrong with the mailing's texts.
    package init(id: MailingID, mailing: Mailing, provider: Provider, _ setting: Setting) throws(TemplateError) {
        name = "\(id)"
        channel = mailing.channel
        switch mailing.channel {
        case .email:
            content = .email(try EmailComposer(mailing: mailing, tracking: setting.tracking))
            returns = setting.returns
            sender = returns?.path.address ?? EmailComposer.senderAddress(of: mailing.from) ?? ""
            signer = EmailComposer.senderDomain(of: mailing.from).flatMap { setting.keys?.signer(for: $0) }
        case .sms, .messenger, .webhook:
            content = .body(try BodyComposer(mailing: mailing, provider: provider, tracking: setting.tracking))
            sender = mailing.channel == .webhook ? "" : mailing.from
            signer = nil
            returns = nil
        }
    }

    /// A recipient's address as it goes to the provider: of an e-mail address with the A-labels of its domain, where that is all that
    /// keeps it from being ASCII.
    func recipient(_ recipients: Recipients, row: Int) -> String {
        let address = recipients[row, 1]
        return channel == .email ? EmailAddress.asciiForm(of: address) ?? address : address
    }

    /// The envelopes' senders of messages of a batch, each signed for its message; nil where they share one.
    private func senders(of open: [OpenRecipient], in batch: BatchID) -> EnvelopeSenders? {
        guard let returns else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(open.count * returns.path.length)
        for item in open {
            guard returns.path.append(mailing: name, batch: batch.number, index: item.index, keys: returns.keys, to: &bytes) else {
                return nil
            }
        }
        return EnvelopeSenders(bytes, length: returns.path.length)
    }

    /// What messages use of a server's extensions. A relay that rewrites 8bit for the next one would break a signature (RFC 6376
    /// section 5.3).
    private func used(of server: MailExtensions) -> MailExtensions {
        signer == nil ? server : MailExtensions(eightBitMIME: false, smtpUTF8: server.smtpUTF8)
    }

    /// What a message's text may need of a server; nil where its channel knows no such thing.
    private func extensions(of server: ProviderCapabilities) -> MailExtensions? {
        if case .email = content { return used(of: server.extensions) }
        return nil
    }

    /// Appends one message's text, as the transport wants it.
    /// - Parameters:
    ///   - date: milliseconds since 1970.
    ///   - server: what the server understands that gets it.
    private func compose(
        _ recipients: Recipients, row: Int, batch: BatchID, date: Int64, for server: MailExtensions, into bytes: inout [UInt8]
    ) {
        switch content {
        case .email(let composer):
            let start = bytes.count
            composer.compose(recipients, row: row, of: batch, date: date, for: server, into: &bytes)
            signer?.sign(&bytes, from: start, time: date / 1000)
        case .body(let composer): composer.compose(recipients, row: row, of: batch, into: &bytes)
        }
    }

    /// Makes the texts of e-mail; nil for other channels.
    package var email: EmailComposer? { if case .email(let composer) = content { composer } else { nil } }
}

extension MailingComposer {
    /// What messages are made of beside the mailing.
    package struct Source: Sendable {
        var recipients: Recipients
        var batch: BatchID
        /// Milliseconds since 1970.
        var date: Int64
        /// Bytes of a message, about.
        var size: Int

        package init(_ recipients: Recipients, batch: BatchID, date: Int64, size: Int = 4096) {
            (self.recipients, self.batch, self.date, self.size) = (recipients, batch, date, size)
        }
    }

    /// The messages of some of a batch's recipients, in one piece of memory.
    package func group(_ open: [OpenRecipient], of source: Source, for provider: ProviderCapabilities) -> MessageGroup {
        let server = extensions(of: provider)
        let texts = texts(open, of: source, for: server ?? .none)
        var group = MessageGroup(sender: sender, bytes: texts.bytes)
        group.senders = senders(of: open, in: source.batch)
        if let server {
            group.extensions = server
            group.recompose = { self.texts(open, of: source, for: used(of: $0)) }
        }
        group.messages.reserveCapacity(open.count)
        let prefix = source.batch.messagePrefix
        for (item, body) in zip(open, texts.bodies) {
            group.messages.append(
                MessageGroup.Message(
                    recipient: recipient(source.recipients, row: item.index), body: body, key: prefix + String(item.index)))
        }
        return group
    }

    private func texts(_ open: [OpenRecipient], of source: Source, for server: MailExtensions) -> MessageGroup.Texts {
        var texts = MessageGroup.Texts(bytes: [], bodies: [])
        texts.bodies.reserveCapacity(open.count)
        texts.bytes.reserveCapacity(source.size * open.count)
        for item in open {
            let start = texts.bytes.count
            compose(source.recipients, row: item.index, batch: source.batch, date: source.date, for: server, into: &texts.bytes)
            texts.bodies.append(start..<texts.bytes.count)
        }
        return texts
    }
}
