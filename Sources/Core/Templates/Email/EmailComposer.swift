package import Model
import Text

/// Makes the messages of one e-mail mailing: headers and MIME parts as SMTP sends them.
package struct EmailComposer: Sendable {
    private let subject: CompiledTemplate
    /// The mailing's own.
    private let ownHeaders: [OwnHeader]
    /// Nil where all messages have the same, or none.
    private let replyTo: ReplyAddress?
    private let body: MessageBody
    private var parts: [BodyPart] { body.parts }
    /// From and Reply-To, up to the name of To.
    private let senderHeaders: [UInt8]
    /// What ends the Message-ID, and what follows it in every message.
    private let afterMessageID: [UInt8]
    private let tracking: MessageTracking?
    private let objection: TrackingObjection
    /// Each message says how a mail program unsubscribes its recipient.
    private let hasUnsubscribeHeaders: Bool
    /// The links that are counted.
    package let links: [MessageLink]
    /// How many of them each part has, in the order of their numbers.
    package let linksOfParts: [Int]
    /// Links that lead nowhere: nobody can follow them.
    package let warnings: [TemplateError.Problem]

    /// - Parameters:
    ///   - tracking: signs the links of a mailing that has something of the tracker; without it they are as they were written, and the
    ///     addresses of pages are empty.
    /// - Throws: `TemplateError` with all that is wrong with the mailing's sender and texts.
    package init(mailing: Mailing, tracking: MessageTracking? = nil) throws(TemplateError) {
        var generator = SystemRandomNumberGenerator()
        try self.init(mailing: mailing, tracking: tracking, using: &generator)
    }

    /// - Parameter generator: makes the boundary at random, so that no value can contain it.
    init(
        mailing: Mailing, tracking: MessageTracking? = nil, using generator: inout some RandomNumberGenerator
    ) throws(TemplateError) {
        var problems: [TemplateError.Problem] = []
        if mailing.fields.count < 2 {
            problems.append(
                TemplateError.Problem(
                    file: "", what: "the recipients have no address", remedy: "give them at least an id and an address")
            )
        }
        let headers = Self.senderHeaders(of: mailing, &problems)
        let fields = FieldNames(of: mailing)
        let isCounted = mailing.tracking?.isCounted == true
        let subject = Self.collect(&problems) { () throws(TemplateError) in
            try CompiledTemplate(
                mailing.subject, fields: mailing.fields, nested: mailing.nestedFields, escaping: .header)
        }
        let own = (mailing.headers ?? []).compactMap { header in
            Self.collect(&problems) { () throws(TemplateError) in try OwnHeader(header, fields: fields) }
        }.sorted { !$0.isOneClick && $1.isOneClick }
        let replyTo = Self.collect(&problems) { () throws(TemplateError) in try ReplyAddress(mailing) } ?? nil
        var parts: [BodyPart] = []
        var links = LinkTable()
        // The links of the message behind each part.
        var counts = [0]
        for (template, escaping) in [(mailing.text, Escaping.none), (mailing.html, .html)] where !template.isEmpty {
            let source = TemplateSource(template, unifyingLineEnds: true)
            var (tokens, found) = TemplateParser.parse(source)
            tokens = tokens.placed(in: escaping, of: source, fields: fields, &found)
            problems += found
            let shown = escaping == .html ? Self.withPreheader(of: mailing, tokens, fields, &problems) : tokens
            let marked = isCounted ? shown.marked(of: source, as: escaping, in: &links) : shown
            counts.append(links.links.count)
            let compiled = Self.collect(&problems) { () throws(TemplateError) in
                try BodyPart(marked, of: source, fields: fields, escaping: escaping, tracking: tracking)
            }
            if let compiled { parts.append(compiled) }
            guard mailing.text.isEmpty, problems.isEmpty else { continue }
            var text = HTMLText.convert(tokens)
            guard HTMLText.isVisible(text) else { continue }
            if isCounted { text = text.marked(of: source, as: .none, in: &links) }
            counts.append(links.links.count)
            parts.insert(try BodyPart(text, of: source, fields: fields, escaping: .none, tracking: tracking), at: 0)
        }
        if mailing.text.isEmpty, mailing.html.isEmpty {
            problems.append(
                TemplateError.Problem(file: "", what: "the mailing has no text", remedy: "give it 'html:' or 'text:'"))
        }
        problems += (mailing.files?.all ?? []).filter { !$0.isWhole }.map { file in
            TemplateError.Problem(
                file: "", what: "the file '\(file.name)' is not what it was when it was added", remedy: "add the mailing anew")
        }
        guard problems.isEmpty, let subject else { throw TemplateError(problems) }
        self.subject = subject
        body = MessageBody(parts, mailing.files, using: &generator)
        self.tracking = tracking
        objection = TrackingObjection(mailing)
        ownHeaders = own
        self.replyTo = replyTo
        let names = Set((mailing.headers ?? []).map { $0.name.lowercased() })
        hasUnsubscribeHeaders =
            names.isDisjoint(with: ["list-unsubscribe", "list-unsubscribe-post"])
            && (isCounted || parts.contains { $0.names(.unsubscribe) })
        self.links = links.links
        linksOfParts = zip(counts, counts.dropFirst()).map { $1 - $0 }
        warnings = links.dead
        senderHeaders = headers
        // A domain of the sender's (RFC 5322 section 3.6.4), and never the name of a machine.
        afterMessageID = Array("@\(Self.senderDomain(of: mailing.from) ?? "")>\r\nMIME-Version: 1.0\r\n".utf8)
    }

    /// A text has the address of a page of the tracker.
    package var namesPages: Bool {
        TrackerPage.allCases.contains { page in parts.contains { $0.names(page) } || ownHeaders.contains { $0.names(page) } }
    }

    /// The columns that the mailing's texts use.
    package var columns: Set<Int> {
        let columns = subject.columns + parts.flatMap(\.columns) + ownHeaders.flatMap(\.columns) + (replyTo?.columns ?? [])
        return Set(columns).union(objection.columns)
    }

    /// They look into values that are lists or objects.
    package var isNested: Bool {
        subject.isNested || replyTo?.isNested == true || parts.contains(where: \.isNested) || ownHeaders.contains(where: \.isNested)
    }

    /// The addr-spec of a mailing's `from`, for the envelope; nil where it is no mailbox.
    package static func senderAddress(of from: String) -> String? { sender(from)?.address.description }

    /// The domain of a mailing's `from`, in ASCII; nil where it is no mailbox.
    package static func senderDomain(of from: String) -> String? {
        guard let address = senderAddress(of: from), let at = address.lastIndex(of: "@") else { return nil }
        return String(address[address.index(after: at)...])
    }

    /// Reads a sender. Its address is in ASCII, because not every server takes another (RFC 6531).
    private static func sender(_ text: String) -> Mailbox? { (try? Mailbox(text))?.ascii }

    /// Appends one message as SMTP sends it after DATA: lines end with CRLF, dots at their start are doubled (RFC 5321
    /// section 4.5.2), without the final dot.
    /// - Parameters:
    ///   - row: the recipient's place in the batch; with the batch it makes the Message-ID, so that a message that is sent
    ///     again has the same.
    ///   - date: milliseconds since 1970.
    package func compose(
        _ recipients: Recipients, row: Int, of batch: BatchID, date: Int64, for server: MailExtensions, into out: inout [UInt8]
    ) {
        let width = recipients.width
        recipients.withRow(row) { values in
            out.append(contentsOf: "Date: ".utf8)
            out.appendMailDate(date)
            out.append(contentsOf: senderHeaders)
            out.appendRecipient(values[1], smtpUTF8: server.smtpUTF8)
            out.append(contentsOf: "\r\nSubject: ".utf8)
            let start = out.count
            subject.render(values, width: width, into: &out)
            out.finishHeaderText(from: start, column: "Subject: ".utf8.count)
            out.append(contentsOf: "\r\nMessage-ID: <".utf8)
            out.append(contentsOf: batch.mailing.description.utf8)
            out.append(UInt8(ascii: "."))
            out.appendDecimal(Int64(batch.number))
            out.append(UInt8(ascii: "."))
            out.appendDecimal(Int64(row))
            out.append(contentsOf: afterMessageID)
            replyTo?.write(values, width: width, into: &out)
            let isCounted = !objection.holds(values)
            let message = tracking.flatMap { TrackedMessage($0, batch: batch.number, index: row, isCounted: isCounted) }
            writeOwnHeaders(values, width: width, message, into: &out)
            if hasUnsubscribeHeaders { message?.writeUnsubscribeHeaders(into: &out) }
            body.write(values, width: width, message, eightBit: server.eightBitMIME, into: &out)
        }
    }

    /// What a reader sees of a message: its text in a form, as a mail program decodes it; nil where the message has no such part.
    package func reading(_ form: MessageForm, _ recipients: Recipients, row: Int, of batch: BatchID) -> [UInt8]? {
        guard let part = parts.first(where: { $0.form == form }) else { return nil }
        return recipients.withRow(row) { values in
            let message = tracking.flatMap {
                TrackedMessage($0, batch: batch.number, index: row, isCounted: !objection.holds(values))
            }
            return part.reading(values, width: recipients.width, message)
        }
    }

    /// The subject of a message, as a mail program decodes it.
    package func subject(_ recipients: Recipients, row: Int) -> String {
        var written: [UInt8] = []
        recipients.withRow(row) { subject.render($0, width: recipients.width, into: &written) }
        return String(decoding: written, as: UTF8.self)
    }

    /// Messages have the headers by which a mail program unsubscribes by one click (RFC 8058).
    package var unsubscribesByHeader: Bool {
        hasUnsubscribeHeaders || ownHeaders.contains(where: \.isUnsubscribe) && ownHeaders.contains(where: \.isOneClick)
    }

    /// One-click unsubscribing is only said of an address that is there.
    private func writeOwnHeaders(_ row: RowValues, width: Int, _ message: TrackedMessage?, into out: inout [UInt8]) {
        var isUnsubscribed = false
        for header in ownHeaders where !header.isOneClick || isUnsubscribed {
            let start = out.count
            header.write(row, width: width, message, into: &out)
            if header.isUnsubscribe { isUnsubscribed = out.count > start }
        }
    }
}

extension EmailComposer {
    /// Runs a step, and keeps its problems in place of throwing them.
    private static func collect<Value>(
        _ problems: inout [TemplateError.Problem], _ step: () throws(TemplateError) -> Value
    ) -> Value? {
        do throws(TemplateError) {
            return try step()
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// The HTML of a message with its preheader.
    private static func withPreheader(
        of mailing: Mailing, _ html: [TemplateToken], _ fields: FieldNames, _ problems: inout [TemplateError.Problem]
    ) -> [TemplateToken] {
        guard let preheader = mailing.preheader else { return html }
        return collect(&problems) { () throws(TemplateError) in try Preheader.insert(preheader, into: html, fields: fields) } ?? html
    }

    private static func senderHeaders(of mailing: Mailing, _ problems: inout [TemplateError.Problem]) -> [UInt8] {
        var headers: [UInt8] = []
        for (key, name, text) in [("from", "From", mailing.from), ("reply_to", "Reply-To", mailing.replyTo)] {
            if key == "reply_to", text.isEmpty || text.contains("{{") { continue }
            guard let mailbox = sender(text) else {
                problems.append(
                    TemplateError.Problem(
                        file: "", what: "'\(key): \(text)' is not an e-mail sender",
                        remedy:
                            "write news@example.com or Example Shop <news@example.com>, only ASCII before the @, a name with commas "
                            + "or brackets in quotes"))
                continue
            }
            headers.append(contentsOf: "\r\n\(name): ".utf8)
            mailbox.write(column: name.utf8.count + 2, into: &headers)
        }
        headers.append(contentsOf: "\r\nTo: ".utf8)
        return headers
    }
}

extension [TemplateToken] {
    /// The tokens with the links that are counted marked.
    func marked(of source: TemplateSource, as escaping: Escaping, in links: inout LinkTable) -> [TemplateToken] {
        escaping == .html ? HTMLLinks.mark(self, of: source, in: &links) : TextLinks.mark(self, of: source, in: &links)
    }
}

extension [UInt8] {
    /// Appends the address of To, with its domain in ASCII. One that a header cannot hold even so (its local part is beyond ASCII, and
    /// the server without SMTPUTF8; or it is no address at all) is shown as the name of an empty group, as RFC 6857 section 3.1.8 does.
    fileprivate mutating func appendRecipient(_ address: Bytes, smtpUTF8: Bool) {
        if address.contains(where: { $0 >= 0x80 }), let ascii = EmailAddress.asciiForm(of: String(decoding: address, as: UTF8.self)) {
            return append(contentsOf: ascii.utf8)
        }
        var isPlain = !address.isEmpty && address.count <= 320
        // A local part in quotes may have spaces.
        for byte in address where byte < 0x20 || byte == 0x7f || byte >= 0x80 && !smtpUTF8 { isPlain = false }
        if isPlain, smtpUTF8 {
            let start = count
            append(address, as: .header)
            if count - start == address.count { return }
            removeLast(count - start)
            isPlain = false
        }
        if isPlain { return append(contentsOf: address) }
        var shown: [UInt8] = []
        shown.append(address, as: .header)
        if !shown.isEmpty { appendEncodedWords(shown, column: "To: ".utf8.count) }
        append(contentsOf: shown.isEmpty ? "undisclosed-recipients:;".utf8 : " :;".utf8)
    }
}
