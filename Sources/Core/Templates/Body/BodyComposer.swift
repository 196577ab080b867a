package import Model
import Text

/// Makes the HTTP bodies of webhook, SMS and messenger mailings, with the values escaped as the provider's content type asks.
package struct BodyComposer: Sendable {
    let template: CompiledTemplate
    /// The language of the body.
    package let format: BodyFormat
    let file: String
    let line: Int
    private let tracking: MessageTracking?
    private let objection: TrackingObjection
    /// The links that are counted.
    package let links: [MessageLink]

    /// What a gateway for SMS or a messenger is sent where its provider has no `body` of its own; nil for a format without one.
    package static func defaultGatewayBody(_ format: BodyFormat) -> String? {
        switch format {
        case .json: #"{"to":"{{address}}","from":"{{from}}","text":"{{text}}"}"#
        case .form: "to={{address}}&from={{from}}&text={{text}}"
        case .xml, .html, .text: nil
        }
    }

    /// The body that a mailing's provider takes.
    /// - Parameter tracking: signs the addresses of the tracker's pages; they are empty without it.
    /// - Throws: `TemplateError` with all that is wrong in the templates, and for a content type that no value can be escaped for.
    package init(mailing: Mailing, provider: Provider, tracking: MessageTracking? = nil) throws(TemplateError) {
        guard let format = BodyFormat(contentType: provider.sentContentType) else {
            throw TemplateError([
                TemplateError.Problem(
                    file: "provider \(mailing.provider)",
                    what: "values cannot be escaped for the content type '\(provider.sentContentType)'", remedy: BodyFormat.advice)
            ])
        }
        switch mailing.channel {
        case .sms, .messenger: try self.init(gateway: mailing, body: provider.body, format: format, tracking: tracking)
        case .webhook, .email:
            try self.init(
                template: mailing.body, fields: mailing.fields, nested: mailing.nestedFields, format: format,
                pages: TrackerPage.all(of: mailing), tracking: tracking)
        }
    }

    /// A body template of its own.
    /// - Parameter pages: the pages of the tracker that are fields, too.
    /// - Throws: `TemplateError` with all that is wrong in the template.
    init(
        template: Mailing.Template, fields: [String], nested: [String] = [], format: BodyFormat = .json, pages: Set<TrackerPage> = [],
        tracking: MessageTracking? = nil
    ) throws(TemplateError) {
        self.template = try CompiledTemplate(
            template, fields: fields, nested: nested, pages: pages, escaping: format.escaping)
        self.format = format
        self.tracking = tracking
        (objection, links) = (.never, [])
        file = template.file
        line = template.line
    }

    /// The body of a gateway, around the text of an SMS or messenger mailing.
    /// - Parameter body: names `{{text}}` (the mailing's text, rendered), `{{from}}` (its sender), `{{address}}` and `{{id}}`
    ///   (the recipient's first two values) and the mailing's fields; nil for `defaultGatewayBody`.
    /// - Throws: `TemplateError` with all that is wrong in both templates.
    init(gateway mailing: Mailing, body: String?, format: BodyFormat = .json, tracking: MessageTracking? = nil) throws(TemplateError) {
        let file = "body of provider \(mailing.provider)"
        guard let body = body ?? Self.defaultGatewayBody(format) else {
            throw TemplateError([
                TemplateError.Problem(
                    file: "provider \(mailing.provider)", what: "there is no usual body for \(format.rawValue)",
                    remedy: "give the provider a 'body' with {{address}} and {{text}}")
            ])
        }
        let fields = FieldNames(of: mailing)
        let form = OutputForm.plain(format.escaping)
        let bodySource = TemplateSource(Mailing.Template(source: body, file: file))
        let textSource = TemplateSource(mailing.text, unifyingLineEnds: true)
        let shortened = ShortenedText(mailing, textSource, isSigned: tracking != nil)
        var (bodyTokens, bodyProblems) = TemplateParser.parse(bodySource)
        bodyTokens = bodyTokens.placed(in: format.escaping, of: bodySource, fields: fields, &bodyProblems)
        let textError = Self.error { () throws(TemplateError) in
            _ = try CompiledTemplate(shortened.tokens, of: textSource, fields: fields, form: form, problems: shortened.problems)
        }
        // `id` and `address` stand for the first two values unless columns have those names.
        let aliases = ["id", "address"].enumerated().map { place, name in
            mailing.fields.contains(name) || place >= mailing.fields.count
                ? (name, name) : (name, mailing.fields[place])
        }
        // A text with faults of its own is skipped here, so that each fault is reported once and with its own file.
        let substitution = GatewaySubstitution(
            text: textError == nil ? shortened.tokens : [], sender: mailing.from, form: form,
            aliases: Dictionary(uniqueKeysWithValues: aliases))
        do throws(TemplateError) {
            template = try CompiledTemplate(
                bodyTokens.flatMap(substitution.replacement).withoutLinksOfLists(fields), of: bodySource, fields: fields, form: form,
                problems: bodyProblems)
        } catch {
            throw TemplateError((textError?.problems ?? []) + error.problems)
        }
        if let textError { throw textError }
        self.format = format
        self.tracking = tracking
        objection = TrackingObjection(mailing)
        links = shortened.links
        self.file = file
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
    package var columns: Set<Int> { Set(template.columns).union(objection.columns) }

    /// It looks into values that are lists or objects, or writes them as JSON.
    package var isNested: Bool { template.isNested }

    /// It has the address of a page of the tracker.
    package var namesPages: Bool { TrackerPage.allCases.contains(where: template.names) }

    /// Appends the body for one recipient.
    /// - Parameter batch: the recipient's; nil for a body that nobody gets, where the addresses of pages are empty.
    package func compose(_ recipients: Recipients, row: Int, of batch: BatchID? = nil, into out: inout [UInt8]) {
        recipients.withRow(row) { values in
            let isCounted = !objection.holds(values)
            let message = tracking.flatMap { tracking in
                batch.flatMap { TrackedMessage(tracking, batch: $0.number, index: row, isCounted: isCounted) }
            }
            template.render(values, width: recipients.width, message, into: &out)
        }
    }
}

extension BodyFormat {
    /// The language in which templates of such bodies escape.
    var escaping: Escaping {
        switch self {
        case .json: .json
        case .form: .form
        case .xml: .xml
        case .html: .html
        case .text: .none
        }
    }
}
