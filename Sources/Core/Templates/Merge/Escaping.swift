/// What a template is for, and so how the values in it are written.
package enum Escaping: Sendable, CaseIterable {
    /// `&`, `<`, `>`, `"` and `'` become entities; `{{{x}}}` and `{{&x}}` write the value as it is.
    case html
    /// The inside of a JSON string (RFC 8259 section 7); `{{{x}}}` and `{{&x}}` write the value as it is, for numbers and objects.
    case json
    /// Plain text: every value as it is.
    case none
    /// A header field: every run of control characters and line separators of a value becomes one space, however it is
    /// interpolated.
    case header
}

/// How one value is written where it stands.
enum ValueForm: UInt8, Sendable {
    case verbatim, html, json, header
    /// For 8bit and 7bit bodies (RFC 5321): lines end with CRLF, dots at their start are doubled, NUL is dropped.
    case wire, wireHTML
    /// Quoted-printable (RFC 2045 section 6.7), lines of at most 76 characters, none of which begins with a dot.
    case quoted, quotedHTML
}

/// What a compiled template's output is made for: the text itself, or the body of a message as it goes onto the wire.
enum OutputForm: Sendable {
    case plain(Escaping)
    case wire(Escaping)
    case quoted(Escaping)

    func valueForm(escaped: Bool) -> ValueForm {
        switch self {
        case .plain(.html): escaped ? .html : .verbatim
        case .plain(.json): escaped ? .json : .verbatim
        case .plain(.none): .verbatim
        case .plain(.header): .header
        case .wire(.html): escaped ? .wireHTML : .wire
        case .wire: .wire
        case .quoted(.html): escaped ? .quotedHTML : .quoted
        case .quoted: .quoted
        }
    }
}
