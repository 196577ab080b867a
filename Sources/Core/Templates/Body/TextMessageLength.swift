package import Model
import Signing
package import Text

/// Measures the texts of SMS, with links as long as they are in messages.
package struct TextMessageLength: Sendable {
    private let template: CompiledTemplate
    private let tracking: MessageTracking?

    /// - Parameter url: the tracker's address in its links; nil where there is none.
    /// - Throws: `TemplateError` with what is wrong in the text.
    package init(_ mailing: Mailing, url: String?) throws(TemplateError) {
        let source = TemplateSource(mailing.text, unifyingLineEnds: true)
        let fields = FieldNames(of: mailing)
        let text = ShortenedText(mailing, source, isSigned: false)
        template = try CompiledTemplate(
            text.tokens.withoutLinksOfLists(fields), of: source, fields: fields, form: .plain(.none), problems: text.problems)
        // Links by any key have one length.
        let keys = try? SigningKeys([0: Secret(String(repeating: "0", count: SigningKey.fewestBytes))])
        if let keys, let url, let rules = mailing.tracking {
            tracking = MessageTracking(base: url, keys: keys, mailing: 0, rules)
        } else {
            tracking = nil
        }
    }

    /// The length of a recipient's text.
    package func length(_ recipients: Recipients, row: Int) -> SMSLength {
        var text: [UInt8] = []
        let message = tracking.flatMap { TrackedMessage($0, batch: 0, index: 0) }
        recipients.withRow(row) { template.render($0, width: recipients.width, message, into: &text) }
        return SMSLength(String(decoding: text, as: UTF8.self))
    }
}
