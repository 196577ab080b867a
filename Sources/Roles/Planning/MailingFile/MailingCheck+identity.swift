import Model
import Text

extension MailingCheck {
    /// Bytes of a key at most.
    private static let longestKey = 200

    /// `key:`, or else the file's real path.
    mutating func identity() -> MailingIdentity {
        guard let key = text("key") else { return .file(RealPath.of(document.path)) }
        if key.utf8.count > Self.longestKey { report(entry("key"), "is longer than \(Self.longestKey) bytes") }
        if key.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            report(entry("key"), "has a line break or another control character in it")
        }
        return .key(key)
    }

    /// `category:`; it does not say which mailing it is.
    mutating func category() -> String? {
        guard let text = text("category") else { return nil }
        guard let fault = Category.fault(text) else { return text }
        report(entry("category"), "'\(text)' \(fault)")
        return nil
    }
}
