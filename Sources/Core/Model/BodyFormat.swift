import Text

/// The language of an HTTP body, as its content type names it.
package enum BodyFormat: String, Sendable, CaseIterable {
    case json, form, xml, html, text

    /// - Returns: nil for a type in which values could not be escaped, and for a charset other than UTF-8.
    package init?(contentType: String) {
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmed.lowercased() }
        for parameter in parts.dropFirst() where parameter.hasPrefix("charset=") {
            let charset = parameter.dropFirst("charset=".count).filter { $0 != "\"" && $0 != "'" }
            guard ["utf-8", "utf8"].contains(charset) else { return nil }
        }
        switch parts.first ?? "" {
        case "application/json", "text/json": self = .json
        case "application/x-www-form-urlencoded": self = .form
        case "application/xml", "text/xml": self = .xml
        case "text/html": self = .html
        case "text/plain": self = .text
        // RFC 6839 section 3.1 and RFC 7303 section 4.2.
        case let type where type.hasSuffix("+json"): self = .json
        case let type where type.hasSuffix("+xml"): self = .xml
        default: return nil
        }
    }

    /// The types that errors name.
    package static let types = [
        "application/json", "application/x-www-form-urlencoded", "application/xml", "text/xml", "text/plain", "text/html",
    ]
    /// The ends of further types.
    package static let suffixes = ["+json", "+xml"]

    /// What may stand in `content_type`, for errors.
    package static let advice =
        "take \(types.joined(separator: ", ")), or a type that ends with \(suffixes.joined(separator: " or ")), in UTF-8"
}
