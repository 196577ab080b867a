import Model

/// A piece of a parsed template: text or a tag. Comments and delimiter changes leave no token.
struct TemplateToken: Equatable {
    enum Kind: Equatable {
        case text([UInt8])
        case variable(String, escaped: Bool)
        case open(String, inverted: Bool)
        case close(String)
        /// Put in by us, around what is counted.
        case link(LinkMark)
    }

    var kind: Kind
    /// The byte of the template's source at which it begins.
    var offset: Int
    /// Of a variable: where its value stands.
    var place: ValuePlace

    init(_ kind: Kind, at offset: Int, place: ValuePlace = .text) {
        self.kind = kind
        self.offset = offset
        self.place = place
    }
}

/// A template's source as bytes, with the place of each byte in its file.
struct TemplateSource {
    let bytes: [UInt8]
    let file: String
    private let firstLine: Int

    /// - Parameter unifyingLineEnds: makes CRLF and lone CR a LF, as messages need it; Mustache itself leaves them alone.
    init(_ template: Mailing.Template, unifyingLineEnds: Bool = false) {
        bytes = unifyingLineEnds ? Array(template.source.utf8).withUnifiedLineEnds() : Array(template.source.utf8)
        file = template.file
        firstLine = template.line
    }

    func problem(at offset: Int, _ what: String, _ remedy: String) -> TemplateError.Problem {
        let before = bytes[..<offset]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return TemplateError.Problem(
            file: file, line: firstLine + before.count { $0 == UInt8(ascii: "\n") },
            column: String(decoding: bytes[lineStart..<offset], as: UTF8.self).count + 1, what: what, remedy: remedy)
    }
}

extension [UInt8] {
    /// The same text with LF in place of CRLF and of lone CR.
    fileprivate func withUnifiedLineEnds() -> [UInt8] {
        guard contains(UInt8(ascii: "\r")) else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for (index, byte) in enumerated() {
            if byte == UInt8(ascii: "\r") {
                result.append(UInt8(ascii: "\n"))
            } else if byte != UInt8(ascii: "\n") || index == 0 || self[index - 1] != UInt8(ascii: "\r") {
                result.append(byte)
            }
        }
        return result
    }
}
