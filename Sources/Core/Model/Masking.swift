/// Addresses as logs show them.
package enum Masking {
    /// An address of which one knows it again, and cannot write to it: `a***@example.com`, `+4917***89`, `tok***`.
    package static func address(_ text: String) -> String {
        if let at = text.lastIndex(of: "@") { return "\(text[..<at].prefix(1))***\(text[at...])" }
        if text.hasPrefix("+"), text.count >= 10 { return "\(text.prefix(5))***\(text.suffix(2))" }
        // Of a short one little is left to guess.
        return "\(text.prefix(text.count >= 10 ? 3 : 1))***"
    }
}
