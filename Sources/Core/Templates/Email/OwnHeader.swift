import Model

/// A header field that the mailing's file names.
struct OwnHeader: Sendable {
    private let name: [UInt8]
    /// A field of addresses in angle brackets (RFC 2369): what cannot be written as they are is of no use to anybody.
    private let isAddresses: Bool
    /// The field says that what another says can be done by one click.
    let isOneClick: Bool
    /// The field says where to unsubscribe.
    let isUnsubscribe: Bool
    private let value: CompiledTemplate

    init(_ header: Mailing.Header, fields: FieldNames) throws(TemplateError) {
        name = Array("\(header.name): ".utf8)
        let lower = header.name.lowercased()
        isAddresses = lower.hasPrefix("list-") && lower != "list-unsubscribe-post"
        isOneClick = lower == "list-unsubscribe-post"
        isUnsubscribe = lower == "list-unsubscribe"
        let source = TemplateSource(header.value)
        var (tokens, problems) = TemplateParser.parse(source)
        tokens = tokens.placed(in: .headerField, of: source, fields: fields, &problems)
        value = try CompiledTemplate(tokens, of: source, fields: fields, form: .plain(.headerField), problems: problems)
    }

    var columns: [Int] { value.columns }

    var isNested: Bool { value.isNested }

    func names(_ page: TrackerPage) -> Bool { value.names(page) }

    /// Appends the field with its line end; nothing where its value is empty for this recipient, or an address in it is empty or too long.
    func write(_ row: RowValues, width: Int, _ message: TrackedMessage?, into out: inout [UInt8]) {
        let begin = out.count
        out.append(contentsOf: name)
        let start = out.count
        value.render(row, width: width, message, into: &out)
        guard out[start...].contains(where: { $0 != 0x20 }), !isAddresses || Self.areAddresses(out[start...]) else {
            return out.removeLast(out.count - begin)
        }
        out.finishHeaderText(from: start, column: name.count, keepingWords: true)
        out.append(contentsOf: "\r\n".utf8)
    }

    /// Addresses of ASCII, none of them empty, each of which fits into a line (RFC 5322 section 2.1.1).
    private static func areAddresses(_ value: ArraySlice<UInt8>) -> Bool {
        guard value.allSatisfy({ $0 < 0x7f }), !value.contains(where: { $0 == UInt8(ascii: "<") }) || value.contains(UInt8(ascii: ">"))
        else {
            return false
        }
        let words = value.split(separator: 0x20)
        return words.allSatisfy { $0.count <= 900 } && !words.contains { $0.starts(with: "<>".utf8) }
    }
}
