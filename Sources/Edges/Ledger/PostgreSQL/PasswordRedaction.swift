import Text

/// Takes passwords out of the words of libpq and the server. These quote what they were given; a password that is an ordinary word, or a
/// letter, stays where it stands in their own words: it tells nothing there, and the error could not be read without.
struct PasswordRedaction {
    private let passwords: [String]

    init(_ passwords: [String?]) { self.passwords = passwords.compactMap(\.self).filter { !$0.isEmpty } }

    func redact(_ words: String) -> String { passwords.reduce(words) { Self.redact($0, $1) } }

    /// So short a password is looked for as a whole only.
    private static let short = 4

    private static func redact(_ words: String, _ password: String) -> String {
        let isShort = password.count < short
        guard isShort || password.utf8.allSatisfy(\.isLetter) else { return words.replacing(password, with: "…") }
        return words.split(separator: "\"", omittingEmptySubsequences: false).enumerated().map { place, part in
            // What is quoted stands at the odd places.
            guard !place.isMultiple(of: 2), isShort ? part == password : part.contains(password) else { return String(part) }
            return String(part).replacing(password, with: "…")
        }.joined(separator: "\"")
    }
}
