/// Addresses as logs show them.
package enum Masking {
    /// A form by which an address is recognised, and to which nobody can write: `a***@example.com`, `+4917***89`, `tok***`.
    package static func address(_ text: String) -> String {
        if let at = text.lastIndex(of: "@") { return "\(text[..<at].prefix(1))***\(text[at...])" }
        if text.hasPrefix("+"), text.count >= 10 { return "\(text.prefix(5))***\(text.suffix(2))" }
        // A short one would leave little to guess.
        return "\(text.prefix(text.count >= 10 ? 3 : 1))***"
    }
}
