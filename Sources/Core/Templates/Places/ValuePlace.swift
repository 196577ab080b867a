/// Where a value stands in the language of its template, as far as that changes how it is written.
enum ValuePlace: UInt8, Sendable, Hashable, CaseIterable {
    /// The usual place of the language: HTML text and quoted attributes, the inside of a JSON string, a form's value, XML text.
    case text
    /// HTML: an attribute without quotes, or the inside of a tag.
    case unquoted
    /// HTML: the begin of a URL; the value may be a whole one.
    case wholeURL
    /// HTML: the host of a URL, and what follows it.
    case restOfURL
    /// HTML: a part of a URL's path, of an address behind `mailto:`, or of a number behind `tel:`.
    case pathOfURL
    /// HTML: a part of a URL's query or fragment.
    case queryOfURL
    /// HTML: a script.
    case script
    /// HTML: a style sheet, or the attribute `style` in quotes.
    case css
    /// HTML: the attribute `style` without quotes.
    case unquotedCSS
    /// JSON: outside of a string.
    case jsonScalar
    /// A form: in a string of a value that is JSON, and outside of one.
    case jsonInForm, jsonScalarInForm
    /// XML: a CDATA section.
    case cdata
    /// Text that is made from HTML: the value is HTML itself.
    case htmlToText
}
