import Text

/// A piece of a response's text that a rule looks for: case does not matter (of ASCII letters), `*` stands for anything in
/// between, and it may stand anywhere in the text.
///
/// The time to match is linear in the text, whatever the text and the pattern (Knuth, Morris, Pratt: "Fast pattern
/// matching in strings", SIAM J. Comput. 6, 1977): texts are the provider's, and untrusted.
package struct TextPattern: Sendable, Equatable, CustomStringConvertible {
    /// Bytes at most.
    package static let longest = 200

    /// As it was written.
    package let description: String
    /// What must follow one another, each as early as it can.
    private let pieces: [Piece]
    /// Where a text that matches has bits in its `TextTrigrams`.
    private let trigrams: [Int]

    /// - Returns: nil for a text without anything but `*` and spaces, longer than 200 bytes, or with control characters.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.longest, !text.utf8.contains(where: \.isControl),
            text.utf8.contains(where: { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: " ") })
        else { return nil }
        self.init(known: text)
    }

    /// A pattern of our own.
    init(known text: String) {
        description = text
        pieces = text.utf8.split(separator: UInt8(ascii: "*")).map { Piece(Array($0)) }
        trigrams = pieces.max { $0.bytes.count < $1.bytes.count }.map { TextTrigrams.places(of: $0.bytes) } ?? []
    }

    /// The same as `matches`, for one of many patterns that a text is compared with.
    func matches(_ text: String, _ known: TextTrigrams) -> Bool { known.contains(trigrams) && matches(text) }

    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var index = 0
            for piece in pieces {
                guard let end = piece.end(in: bytes, from: index) else { return false }
                index = end
            }
            return true
        }
    }

    private struct Piece: Sendable, Equatable {
        /// In small letters; not empty.
        let bytes: [UInt8]
        /// For each length of a partial match, the length of the longest shorter one that it ends with.
        let shorter: [Int]

        init(_ written: [UInt8]) {
            bytes = written.map(\.lowercased)
            var shorter = Array(repeating: 0, count: bytes.count)
            var length = 0
            for index in bytes.indices.dropFirst() {
                while length > 0, bytes[index] != bytes[length] { length = shorter[length - 1] }
                if bytes[index] == bytes[length] { length += 1 }
                shorter[index] = length
            }
            self.shorter = shorter
        }

        /// Where the first match from `start` on ends; nil where there is none.
        func end(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
            var length = 0
            for index in start..<text.count {
                let byte = text[index].lowercased
                while length > 0, byte != bytes[length] { length = shorter[length - 1] }
                if byte == bytes[length] { length += 1 }
                if length == bytes.count { return index + 1 }
            }
            return nil
        }
    }
}
