/// The language of a template, and so how the values in it are written; `{{{x}}}` and `{{&x}}` write a value as it is.
package enum Escaping: Sendable, CaseIterable {
    /// HTML: by the place of the value in text, attribute, URL or script.
    case html
    /// JSON (RFC 8259): the inside of a string; outside of one a value can be a number or a word, and no more.
    case json
    /// Plain text: every value as it is.
    case none
    /// A header field: every run of control characters and line separators of a value becomes one space, however it is
    /// interpolated.
    case header
    /// A header field of the mailing's own: like `header`, but for URLs between angle brackets.
    case headerField
    /// `application/x-www-form-urlencoded` (URL Standard section 5).
    case form
    /// XML 1.0: text and attributes, or a CDATA section.
    case xml
}

/// How one value is written where it stands.
enum ValueForm: Sendable, Equatable {
    case verbatim, html, json, header
    /// For 8bit and 7bit bodies (RFC 5321): lines end with CRLF, dots at their start are doubled, NUL is dropped.
    case wire, wireHTML
    /// Quoted-printable (RFC 2045 section 6.7), lines of at most 76 characters, none of which begins with a dot.
    case quoted, quotedHTML
    /// By a rule of its place, then for the body it is in.
    case placed(PlaceRule, BodyForm)
}

/// How a value is written in a place that is not its language's usual one.
enum PlaceRule: UInt8, Sendable, Equatable {
    case unquotedAttribute, htmlURL, htmlRestOfURL, url, restOfURL, pathOfURL, queryOfURL, script, css, unquotedCSS, jsonScalar, jsonInForm,
        jsonScalarInForm, xml, cdata, htmlToText
}

/// What a body is made for.
enum BodyForm: UInt8, Sendable, Equatable {
    /// The text itself.
    case plain
    case wire, quoted
}

/// What a compiled template's output is made for: the text itself, or the body of a message as it goes onto the wire.
struct OutputForm: Sendable, Equatable {
    var language: Escaping
    var body = BodyForm.plain

    static func plain(_ language: Escaping) -> OutputForm { OutputForm(language: language) }
    static func wire(_ language: Escaping) -> OutputForm { OutputForm(language: language, body: .wire) }
    static func quoted(_ language: Escaping) -> OutputForm { OutputForm(language: language, body: .quoted) }

    func valueForm(escaped: Bool, at place: ValuePlace) -> ValueForm {
        if language == .header || language == .headerField && (place == .text || !escaped) { return .header }
        if place == .htmlToText { return .placed(.htmlToText, body) }
        guard escaped else { return unescaped }
        if let rule = rule(at: place) { return .placed(rule, body) }
        switch (language, body) {
        case (.html, .plain): return .html
        case (.html, .wire): return .wireHTML
        case (.html, .quoted): return .quotedHTML
        case (.json, _): return .json
        default: return unescaped
        }
    }

    /// How the address of a page of the tracker is written: of the signs in it (`SettingsTable.trackerURL`) only a form escapes some.
    func pageForm(at place: ValuePlace) -> ValueForm { language == .form ? valueForm(escaped: true, at: place) : unescaped }

    private var unescaped: ValueForm {
        switch body {
        case .plain: .verbatim
        case .wire: .wire
        case .quoted: .quoted
        }
    }

    private func rule(at place: ValuePlace) -> PlaceRule? {
        switch place {
        case .text: language == .form ? .queryOfURL : language == .xml ? .xml : nil
        case .unquoted: .unquotedAttribute
        case .wholeURL: language == .html ? .htmlURL : .url
        case .restOfURL: language == .html ? .htmlRestOfURL : .restOfURL
        case .pathOfURL: .pathOfURL
        case .queryOfURL: .queryOfURL
        case .script: .script
        case .css: .css
        case .unquotedCSS: .unquotedCSS
        case .jsonScalar: .jsonScalar
        case .jsonInForm: .jsonInForm
        case .jsonScalarInForm: .jsonScalarInForm
        case .cdata: .cdata
        case .htmlToText: .htmlToText
        }
    }
}
