package import Model

/// Makes pages that show the messages of one mailing in a browser: what was sent, with its links, and without the picture that counts
/// opens.
package struct MessageView: Sendable {
    private let template: CompiledTemplate
    private let subject: CompiledTemplate
    /// Names a message without a subject.
    private let sender: String
    /// The message is HTML; else it is text, which is put into a page.
    private let isHTML: Bool
    private let tracking: MessageTracking?
    private let objection: TrackingObjection

    /// - Parameter tracking: signs the links, which count as those of the message do.
    /// - Returns: nil for a mailing whose messages are no text for people, as those of webhooks.
    /// - Throws: `TemplateError` with what is wrong with the mailing's texts.
    package init?(mailing: Mailing, tracking: MessageTracking? = nil) throws(TemplateError) {
        isHTML = mailing.channel == .email && !mailing.html.isEmpty
        guard mailing.channel != .webhook, isHTML || !mailing.text.isEmpty else { return nil }
        let fields = FieldNames(of: mailing)
        let isCounted = mailing.channel == .email && mailing.tracking?.isCounted == true
        var links = LinkTable()
        // The links of the text have the first numbers, where it was written and not made from the HTML.
        let text = mailing.text.isEmpty ? nil : try Self.compile(mailing.text, .none, fields, isCounted, &links)
        let html = isHTML ? try Self.compile(mailing.html, .html, fields, isCounted, &links) : nil
        guard let template = html ?? text else { return nil }
        self.template = template
        subject = try CompiledTemplate(mailing.subject, fields: mailing.fields, nested: mailing.nestedFields, escaping: .header)
        sender = mailing.from
        self.tracking = tracking
        objection = TrackingObjection(mailing)
    }

    private static func compile(
        _ template: Mailing.Template, _ escaping: Escaping, _ fields: FieldNames, _ isCounted: Bool, _ links: inout LinkTable
    ) throws(TemplateError) -> CompiledTemplate {
        let source = TemplateSource(template, unifyingLineEnds: true)
        var (tokens, problems) = TemplateParser.parse(source)
        tokens = tokens.placed(in: escaping, of: source, fields: fields, &problems)
        if isCounted { tokens = tokens.marked(of: source, as: escaping, in: &links).filter { $0.kind != .link(.pixel) } }
        return try CompiledTemplate(tokens, of: source, fields: fields, form: .plain(escaping), problems: problems)
    }

    /// Values a recipient must have.
    package var width: Int { template.width }

    /// The page for a recipient.
    /// - Parameters:
    ///   - recipients: of the mailing's fields.
    ///   - row: the recipient's row there.
    ///   - index: the recipient's place in the batch.
    package func page(_ recipients: Recipients, row: Int, of batch: BatchID, index: Int) -> [UInt8] {
        var body: [UInt8] = []
        recipients.withRow(row) { values in
            let isCounted = !objection.holds(values)
            let message = tracking.flatMap { TrackedMessage($0, batch: batch.number, index: index, isCounted: isCounted) }
            template.render(values, width: recipients.width, message, into: &body)
        }
        if isHTML { return body }
        var title: [UInt8] = []
        subject.render(recipients, row: row, into: &title)
        if title.isEmpty { title = Array(sender.utf8) }
        return Self.page(of: body, title: title)
    }

    private static func page(of text: [UInt8], title: [UInt8]) -> [UInt8] {
        var out = Array(
            """
            <!DOCTYPE html>
            <html>
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>
            """.utf8)
        title.withUnsafeBufferPointer { out.append($0, as: .html) }
        if title.isEmpty { out += "Message".utf8 }
        out +=
            """
            </title>
            <style>:root { color-scheme: light dark; } pre { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto;
            padding: 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }</style>
            </head>
            <body>
            <pre dir="auto">
            """.utf8
        append(text, to: &out)
        out += "</pre>\n</body>\n</html>\n".utf8
        return out
    }

    /// Appends a text as HTML, in which its addresses of pages are links.
    private static func append(_ text: [UInt8], to out: inout [UInt8]) {
        var rest = text[...]
        while let begin = nextAddress(rest) {
            append(rest[rest.startIndex..<begin], escapedTo: &out)
            var end = rest[begin...].firstIndex { $0 <= 0x20 || "<>\"".utf8.contains($0) } ?? rest.endIndex
            while end > begin, ".,;:!?)".utf8.contains(rest[end - 1]) { end -= 1 }
            out += "<a href=\"".utf8
            append(rest[begin..<end], escapedTo: &out)
            out += "\">".utf8
            append(rest[begin..<end], escapedTo: &out)
            out += "</a>".utf8
            rest = rest[end...]
        }
        append(rest, escapedTo: &out)
    }

    /// Where the next `http://` or `https://` with something behind it begins.
    private static func nextAddress(_ text: ArraySlice<UInt8>) -> Int? {
        var place = text.startIndex
        while let found = text[place...].firstIndex(of: UInt8(ascii: "h")) {
            for scheme in ["http://", "https://"] where text[found...].starts(with: scheme.utf8) {
                let behind = found + scheme.utf8.count
                if behind < text.endIndex, text[behind] > 0x2f { return found }
            }
            place = found + 1
        }
        return nil
    }

    private static func append(_ text: ArraySlice<UInt8>, escapedTo out: inout [UInt8]) {
        text.withUnsafeBufferPointer { out.append($0, as: .html) }
    }
}
