import Text

/// What a user agent (RFC 9110 section 10.1.5) is compared with: a part of it, as `python-requests`; its beginning behind `^`, as `^curl/`;
/// or the whole between `^` and `$`, as `^Mozilla/5.0$`. Case of ASCII letters does not matter; in a part, `*` stands for anything.
package struct AgentPattern: Sendable, Equatable, CustomStringConvertible {
    private enum Form: Sendable, Equatable {
        case holds(TextPattern)
        /// In small letters.
        case begins([UInt8])
        case equals([UInt8])
    }

    /// Bytes at most.
    package static let longest = 256
    package static let allowed = "1 to \(longest) bytes on one line, as python-requests, ^curl/ or ^Mozilla/5.0$"

    /// As it was written.
    package let description: String
    private let form: Form

    /// - Returns: nil for a text that is empty, too long, or has control characters.
    package init?(_ text: String) {
        guard 1...Self.longest ~= text.utf8.count, !text.utf8.contains(where: \.isControl) else { return nil }
        description = text
        guard text.hasPrefix("^") else {
            guard let pattern = TextPattern(text) else { return nil }
            form = .holds(pattern)
            return
        }
        let rest = text.utf8.dropFirst().map(\.lowercased)
        if rest.last == UInt8(ascii: "$") {
            form = .equals(Array(rest.dropLast()))
        } else {
            guard !rest.isEmpty else { return nil }
            form = .begins(rest)
        }
    }

    /// A pattern of our own; one that is none fits no agent, which a test of the built-in rules finds.
    init(known text: String) {
        self = AgentPattern(text) ?? AgentPattern(description: text, form: .equals([0]))
    }

    private init(description: String, form: Form) { (self.description, self.form) = (description, form) }

    func matches(_ agent: AgentText) -> Bool {
        switch form {
        case .holds(let pattern): pattern.matches(agent.text, agent.trigrams)
        case .begins(let start): agent.text.utf8.count >= start.count && agent.begins(with: start)
        case .equals(let whole): agent.text.utf8.count == whole.count && agent.begins(with: whole)
        }
    }
}

/// A user agent that is compared with many patterns.
struct AgentText {
    let text: String
    let trigrams: TextTrigrams

    init(_ text: String) {
        self.text = text
        trigrams = TextTrigrams(text)
    }

    fileprivate func begins(with bytes: [UInt8]) -> Bool { zip(text.utf8, bytes).allSatisfy { $0.lowercased == $1 } }
}
