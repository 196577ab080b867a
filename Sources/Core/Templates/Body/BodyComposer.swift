package import Model
import Text

/// Makes the JSON bodies of webhook, SMS and messenger mailings.
package struct BodyComposer: Sendable {
    private let template: CompiledTemplate
    private let file: String
    private let line: Int

    /// What a gateway for SMS or a messenger is sent where its provider has no `body` of its own.
    package static let defaultGatewayBody = #"{"to":"{{address}}","from":"{{from}}","text":"{{text}}"}"#

    /// A body template of its own; values are escaped for JSON strings.
    /// - Throws: `TemplateError` with all that is wrong in the template.
    package init(
        template: Mailing.Template, fields: [String], nested: [String] = []
    ) throws(TemplateError) {
        self.template = try CompiledTemplate(template, fields: fields, nested: nested, escaping: .json)
        file = template.file
        line = template.line
    }

    /// The body of a gateway, around the text of an SMS or messenger mailing.
    /// - Parameter body: names `{{text}}` (the mailing's text, rendered), `{{from}}` (its sender), `{{address}}` and `{{id}}`
    ///   (the recipient's first two values) and the mailing's fields; nil for `defaultGatewayBody`.
    /// - Throws: `TemplateError` with all that is wrong in both templates.
    package init(gateway mailing: Mailing, body: String?) throws(TemplateError) {
        let bodySource = TemplateSource(
            Mailing.Template(source: body ?? Self.defaultGatewayBody, file: "body of provider \(mailing.provider)"))
        let textSource = TemplateSource(mailing.text, unifyingLineEnds: true)
        let (bodyTokens, bodyProblems) = TemplateParser.parse(bodySource)
        let (textTokens, textProblems) = TemplateParser.parse(textSource)
        let fields = FieldNames(mailing.fields, nested: mailing.nestedFields)
        let textError = Self.error { () throws(TemplateError) in
            _ = try CompiledTemplate(
                textTokens, of: textSource, fields: fields, form: .plain(.json), problems: textProblems)
        }
        // `id` and `address` stand for the first two values unless columns have those names.
        let aliases = ["id", "address"].enumerated().map { place, name in
            mailing.fields.contains(name) || place >= mailing.fields.count
                ? (name, name) : (name, mailing.fields[place])
        }
        // A text with faults of its own is skipped here, so that each fault is reported once and with its own file.
        let substitution = GatewaySubstitution(
            text: textError == nil ? textTokens : [], sender: mailing.from,
            aliases: Dictionary(uniqueKeysWithValues: aliases))
        do throws(TemplateError) {
            template = try CompiledTemplate(
                bodyTokens.flatMap(substitution.replacement), of: bodySource, fields: fields, form: .plain(.json),
                problems: bodyProblems)
        } catch {
            throw TemplateError((textError?.problems ?? []) + error.problems)
        }
        if let textError { throw textError }
        file = bodySource.file
        line = 1
    }

    private static func error(_ step: () throws(TemplateError) -> Void) -> TemplateError? {
        do throws(TemplateError) {
            try step()
            return nil
        } catch {
            return error
        }
    }

    /// The columns that the body uses.
    package var columns: Set<Int> { Set(template.columns) }

    /// Appends the body for one recipient.
    package func compose(_ recipients: Recipients, row: Int, into out: inout [UInt8]) {
        template.render(recipients, row: row, into: &out)
    }

    /// The body is JSON whatever the values of a recipient are.
    package var isAlwaysJSON: Bool { template.isAlwaysJSON }

    /// Why the body for a recipient is no JSON (RFC 8259), with the place; nil where it is JSON.
    package func jsonFault(_ recipients: Recipients, row: Int) -> String? {
        var body: [UInt8] = []
        compose(recipients, row: row, into: &body)
        do throws(JSONSyntaxError) {
            try body.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
                var cursor = JSONCursor(bytes)
                try cursor.skipValue()
                try cursor.end()
            }
            return nil
        } catch {
            let before = String(decoding: body[max(0, error.offset - 30)..<error.offset], as: UTF8.self)
            let after = String(decoding: body[error.offset..<min(body.count, error.offset + 30)], as: UTF8.self)
            return "the body is not JSON: it \(error.problem), here: \(before) >>> \(after)"
        }
    }

    /// Checks that the body for a recipient is JSON; for use before anything is sent.
    /// - Throws: `TemplateError` that shows the place in the rendered body.
    package func checkJSON(_ recipients: Recipients, row: Int) throws(TemplateError) {
        guard let fault = jsonFault(recipients, row: row) else { return }
        throw TemplateError([
            TemplateError.Problem(
                file: file, line: line, what: "with the values of recipient '\(recipients[row, 0])' \(fault)",
                remedy: "put texts into quotes, and leave no comma before '}' or ']'")
        ])
    }
}

/// Puts a mailing's text and sender into a gateway's body template.
private struct GatewaySubstitution {
    let text: [TemplateToken]
    let sender: String
    let aliases: [String: String]

    func replacement(_ token: TemplateToken) -> [TemplateToken] {
        switch token.kind {
        case .variable("text", let escaped): text.map { written($0, escaped, at: token.offset) }
        case .variable("from", let escaped):
            [written(TemplateToken(.text(Array(sender.utf8)), at: 0), escaped, at: token.offset)]
        case .variable(let name, let escaped):
            [TemplateToken(.variable(aliases[name] ?? name, escaped: escaped), at: token.offset)]
        case .open(let name, let inverted):
            [TemplateToken(.open(aliases[name] ?? name, inverted: inverted), at: token.offset)]
        case .close(let name): [TemplateToken(.close(aliases[name] ?? name), at: token.offset)]
        case .text: [token]
        }
    }

    /// A token of the text as it stands inside of a JSON string, where all of the text is escaped once.
    private func written(_ token: TemplateToken, _ escaped: Bool, at offset: Int) -> TemplateToken {
        var kind = token.kind
        switch kind {
        case .text(let bytes) where escaped:
            var json: [UInt8] = []
            bytes.withUnsafeBufferPointer { json.append($0, as: .json) }
            kind = .text(json)
        case .variable(let name, _): kind = .variable(name, escaped: escaped)
        default: break
        }
        return TemplateToken(kind, at: offset)
    }
}
