/// What the ledger knows to a question.
package enum Answer: Sendable, Equatable {
    /// The recipient, or what was asked of them, is not there any more: pruned, erased, or never there.
    case gone
    /// It is longer than `bytes`.
    case tooLarge
    /// The collector cannot tell, through a fault of its settings or of the ledger.
    case unable
    case preferences(RecipientPreferences)
    /// A page of HTML, in UTF-8.
    case page([UInt8])
    /// The address that a link leads to, `http:` or `https:`.
    case target([UInt8])

    /// Bytes of an answer at most.
    package static let bytes = 1 << 20

    /// Bytes of a link's target at most.
    package static let targetBytes = 4096

    /// The answer, or that it is too large.
    package var bounded: Answer {
        switch self {
        case .page(let html) where html.count > Self.bytes - 64: .tooLarge
        case .target(let target) where target.count > Self.targetBytes: .tooLarge
        default: self
        }
    }

    /// What it takes in a cache, about.
    package var size: Int {
        switch self {
        case .gone, .tooLarge, .unable: 16
        case .preferences(let preferences): 32 + preferences.categories.count * 48
        case .page(let bytes), .target(let bytes): 16 + bytes.count
        }
    }
}

/// The answer to the question of a number.
package struct NumberedAnswer: Sendable, Equatable {
    package let number: UInt64
    package let answer: Answer

    package init(_ number: UInt64, _ answer: Answer) { (self.number, self.answer) = (number, answer) }
}

/// The wire form: the version, the question's number, what kind of answer it is, and the answer.
extension NumberedAnswer {
    /// The version of the wire form, its first byte.
    package static let version: UInt8 = 1

    private enum Kind: UInt8 { case gone = 1, tooLarge, unable, preferences, page, target }

    /// The wire form, `Answer.bytes` at most.
    package func encoded() -> [UInt8] {
        var out = PackedWriter()
        out.byte(Self.version)
        out.number(number)
        switch answer.bounded {
        case .gone: out.byte(Kind.gone.rawValue)
        case .tooLarge: out.byte(Kind.tooLarge.rawValue)
        case .unable: out.byte(Kind.unable.rawValue)
        case .preferences(let preferences):
            out.byte(Kind.preferences.rawValue)
            preferences.write(to: &out)
        case .page(let bytes):
            out.byte(Kind.page.rawValue)
            out.append(bytes)
        case .target(let bytes):
            out.byte(Kind.target.rawValue)
            out.append(bytes)
        }
        return out.bytes
    }

    /// Reads a wire form, which anybody may have written.
    package init(decoding wire: [UInt8]) throws(WireError) {
        guard wire.count <= Answer.bytes else { throw WireError("an answer of \(wire.count) bytes") }
        var reader = PackedReader(wire)
        try reader.version(Self.version)
        number = try reader.number(atMost: .max)
        let head = try reader.byte()
        guard let kind = Kind(rawValue: head) else { throw WireError("no answer is of the kind \(head)") }
        switch kind {
        case .gone: answer = .gone
        case .tooLarge: answer = .tooLarge
        case .unable: answer = .unable
        case .preferences: answer = .preferences(try RecipientPreferences(&reader))
        case .page: answer = .page(reader.rest())
        case .target:
            answer = .target(reader.rest())
            guard answer.bounded == answer else { throw WireError("a target that is too long") }
        }
        try reader.end()
    }
}

extension PackedReader {
    /// All that was not read.
    fileprivate mutating func rest() -> [UInt8] {
        guard let rest = try? bytes(count - position) else { return [] }
        return Array(rest)
    }
}
