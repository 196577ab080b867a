import Model

/// A header field that the mailing's file names.
struct OwnHeader: Sendable {
    private let name: [UInt8]
    private let value: CompiledTemplate

    init(_ header: Mailing.Header, fields: FieldNames) throws(TemplateError) {
        name = Array("\(header.name): ".utf8)
        let source = TemplateSource(header.value)
        var (tokens, problems) = TemplateParser.parse(source)
        tokens = tokens.placed(in: .headerField, of: source, fields: fields, &problems)
        value = try CompiledTemplate(tokens, of: source, fields: fields, form: .plain(.headerField), problems: problems)
    }

    var columns: [Int] { value.columns }

    var isNested: Bool { value.isNested }

    func names(_ page: TrackerPage) -> Bool { value.names(page) }

    /// Appends the field with its line end; nothing where its value is empty for this recipient.
    func write(_ row: RowValues, width: Int, _ message: TrackedMessage?, into out: inout [UInt8]) {
        let begin = out.count
        out.append(contentsOf: name)
        let start = out.count
        value.render(row, width: width, message, into: &out)
        guard out[start...].contains(where: { $0 != 0x20 }) else { return out.removeLast(out.count - begin) }
        out.finishHeaderText(from: start, column: name.count, keepingWords: true)
        out.append(contentsOf: "\r\n".utf8)
    }
}
