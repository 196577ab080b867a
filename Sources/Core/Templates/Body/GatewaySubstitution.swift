/// Puts a mailing's text and sender into a gateway's body template.
struct GatewaySubstitution {
    let text: [TemplateToken]
    let sender: String
    let form: OutputForm
    let aliases: [String: String]

    func replacement(_ token: TemplateToken) -> [TemplateToken] {
        var token = token
        switch token.kind {
        case .variable("text", let escaped): return written(escaped, in: token)
        case .variable("from", let escaped): return [written(TemplateToken(.text(Array(sender.utf8)), at: 0), escaped, in: token)]
        case .variable(let name, let escaped): token.kind = .variable(aliases[name] ?? name, escaped: escaped)
        case .open(let name, let inverted): token.kind = .open(aliases[name] ?? name, inverted: inverted)
        case .close(let name): token.kind = .close(aliases[name] ?? name)
        case .text, .link: break
        }
        return [token]
    }

    /// The text in place of a tag of the body. The targets of its links are not escaped: they are not written.
    private func written(_ escaped: Bool, in tag: TemplateToken) -> [TemplateToken] {
        var isInTarget = false
        return text.map { token in
            if case .link(let mark) = token.kind {
                if case .shortTarget = mark { isInTarget = true } else { isInTarget = false }
            } else if isInTarget {
                return token
            }
            return written(token, escaped, in: tag)
        }
    }

    /// A token of the text as it stands in place of a tag of the body, where all of the text is escaped once.
    private func written(_ token: TemplateToken, _ escaped: Bool, in tag: TemplateToken) -> TemplateToken {
        var kind = token.kind
        switch kind {
        case .text(let bytes) where escaped:
            var written: [UInt8] = []
            bytes.withUnsafeBufferPointer { written.append($0, as: form.valueForm(escaped: true, at: tag.place)) }
            kind = .text(written)
        case .variable(let name, _): kind = .variable(name, escaped: escaped)
        default: break
        }
        return TemplateToken(kind, at: tag.offset, place: tag.place)
    }
}
