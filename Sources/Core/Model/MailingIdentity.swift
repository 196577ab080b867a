/// What a mailing is known by after it was edited: its key, or else its file. Content, name and speed do not count.
package enum MailingIdentity: Sendable, Hashable, CustomStringConvertible {
    /// `key:` of the mailing file.
    case key(String)
    /// The real path of the mailing file.
    case file(String)

    /// Reads what `description` wrote; nil for another text.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let value = String(text[text.index(after: colon)...])
        guard !value.isEmpty else { return nil }
        switch text[..<colon] {
        case "key": self = .key(value)
        case "file": self = .file(value)
        default: return nil
        }
    }

    /// As the ledger keeps it.
    package var description: String {
        switch self {
        case .key(let key): "key:\(key)"
        case .file(let path): "file:\(path)"
        }
    }
}
