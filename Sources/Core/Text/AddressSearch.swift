/// Finds a person's address in texts, and takes it out. Case of ASCII letters does not matter. An address within a longer one is none:
/// `ann@example.com` does not stand in `joann@example.com`, nor in `ann@example.com.au`.
package struct AddressSearch: Sendable {
    /// What stands in a text in place of an address that was taken out.
    package static let replacement = "(erased)"
    /// Digits of a telephone number, without its country code, by which it is known in another spelling.
    private static let fewestDigits = 7

    /// In lower case, the longest first: one may be the beginning of another.
    package let addresses: [String]
    private let needles: [[UInt8]]

    /// - Parameter addresses: the forms that one person's address has; empty ones are ignored.
    package init(_ addresses: [String]) {
        self.addresses = addresses.filter { !$0.isEmpty }.map { String(decoding: $0.utf8.map(\.lowercased), as: UTF8.self) }
            .sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
        // A short name may stand in any text and mean something else: it is looked for as a whole value only.
        needles = self.addresses.filter { $0.contains("@") || $0.hasPrefix("+") && $0.utf8.count > Self.fewestDigits }.map {
            Array($0.utf8)
        }
    }

    package var isEmpty: Bool { addresses.isEmpty }

    /// A value is one of the addresses, or holds one.
    package func isHeld(by value: String) -> Bool {
        let trimmed = value.utf8.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed().map(\.lowercased)
        return addresses.contains { $0.utf8.elementsEqual(trimmed) } || isIn(trimmed)
    }

    /// The same of an address as somebody wrote it: a telephone number may be spelt otherwise.
    package func isMeant(by value: String) -> Bool {
        if isHeld(by: value) { return true }
        let digits = value.utf8.filter(\.isDigit).drop { $0 == UInt8(ascii: "0") }
        guard digits.count >= Self.fewestDigits, !value.contains("@") else { return false }
        return addresses.contains { address in
            address.hasPrefix("+") && address.utf8.dropFirst().suffix(digits.count).elementsEqual(digits)
        }
    }

    /// Whether an address stands somewhere in a text.
    package func isIn(_ text: some Sequence<UInt8>) -> Bool {
        let bytes = text.map(\.lowercased)
        return needles.contains { Self.first($0, in: bytes, from: 0) != nil }
    }

    /// Whether an address stands in what is the person's own, as a provider's message id: within a longer word too.
    package func isWithin(_ text: String) -> Bool {
        let bytes = text.utf8.map(\.lowercased)
        return needles.contains { bytes.firstRange(of: $0) != nil }
    }

    /// The text without the addresses; nil where it has none.
    package func removed(from text: String) -> String? {
        var bytes = Array(text.utf8)
        var isChanged = false
        for needle in needles {
            var start = 0
            while let place = Self.first(needle, in: bytes.map(\.lowercased), from: start) {
                bytes.replaceSubrange(place..<place + needle.count, with: Self.replacement.utf8)
                start = place + Self.replacement.utf8.count
                isChanged = true
            }
        }
        return isChanged ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func first(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (start..<max(start, bytes.count - needle.count + 1)).first { place in
            bytes[place] == needle[0] && bytes[place..<place + needle.count].elementsEqual(needle)
                && !isContinued(bytes[..<place].reversed(), joints: .max) && !isContinued(bytes[(place + needle.count)...], joints: 1)
        }
    }

    /// Whether the address continues there: a letter or a digit comes, at once or behind what may join it.
    private static func isContinued(_ bytes: some Sequence<UInt8>, joints: Int) -> Bool {
        var left = joints
        for byte in bytes {
            if byte.isLetter || byte.isDigit || byte >= 0x80 { return true }
            guard left > 0, isJoint(byte) else { return false }
            left -= 1
        }
        return false
    }

    private static func isJoint(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+")].contains(byte)
    }
}
