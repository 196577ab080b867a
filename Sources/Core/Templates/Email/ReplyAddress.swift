package import Model
import Text

/// The field Reply-To of a mailing whose recipients do not all reply to one address.
package struct ReplyAddress: Sendable {
    private let whole: CompiledTemplate
    /// Of a template `NAME <ADDRESS>`, whose values are in one part or the other; nil for another.
    private let parts: (name: CompiledTemplate, address: CompiledTemplate)?

    /// - Returns: nil for a mailing without a Reply-To, or with the same for all.
    /// - Throws: `TemplateError` with what is wrong in the template.
    package init?(_ mailing: Mailing) throws(TemplateError) {
        guard mailing.channel == .email, mailing.replyTo.contains("{{") else { return nil }
        func compile(_ text: some StringProtocol) throws(TemplateError) -> CompiledTemplate {
            let template = Mailing.Template(source: String(text), file: "reply_to", line: 0)
            return try CompiledTemplate(template, fields: mailing.fields, nested: mailing.nestedFields, escaping: .none)
        }
        let text = mailing.replyTo.trimmed
        whole = try compile(text)
        // A section around both is in neither.
        if text.hasSuffix(">"), let open = text.lastIndex(of: "<"), let name = try? compile(Self.unquoted(text[..<open].trimmed)),
            let address = try? compile(text[text.index(after: open)...].dropLast())
        {
            parts = (name, address)
        } else {
            parts = nil
        }
    }

    private static func unquoted(_ text: Substring) -> Substring {
        text.count > 1 && text.hasPrefix("\"") && text.hasSuffix("\"") ? text.dropFirst().dropLast() : text
    }

    var columns: [Int] { whole.columns }

    var isNested: Bool { whole.isNested }

    /// Appends the field with its line end; nothing where its address is empty for this recipient, or is none.
    func write(_ row: RowValues, width: Int, into out: inout [UInt8]) {
        guard let mailbox = try? mailbox(row, width: width) else { return }
        out += "Reply-To: ".utf8
        mailbox.write(column: 10, into: &out)
        out += "\r\n".utf8
    }

    /// Why a recipient's values make no address for replies; nil where they do, or where there is none.
    package func fault(_ recipients: Recipients, row: Int) -> String? {
        recipients.withRow(row) { values in
            do throws(MailboxError) {
                _ = try mailbox(values, width: recipients.width)
                return nil
            } catch {
                return "reply_to \(error)"
            }
        }
    }

    /// - Returns: nil where the address is empty.
    private func mailbox(_ row: RowValues, width: Int) throws(MailboxError) -> Mailbox? {
        func text(_ template: CompiledTemplate) -> String {
            var bytes: [UInt8] = []
            template.render(row, width: width, into: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        let found: Mailbox
        if let parts {
            let address = text(parts.address)
            if address.trimmed.isEmpty { return nil }
            found = try Mailbox(displayName: String(text(parts.name).trimmed), address: address)
        } else {
            let text = text(whole)
            if text.trimmed.isEmpty { return nil }
            found = try Mailbox(text)
        }
        guard let ascii = found.ascii else { throw MailboxError("has an address beyond ASCII before the @, which not every server takes") }
        return ascii
    }
}
