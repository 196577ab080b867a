/// Spoils bytes at random, as a decoder may meet them that reads what others wrote: the same seed spoils in the same way.
package enum Mutation {
    /// Numbers at and beyond the ends of what machines count with.
    package static let numbers = [
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "-1", "0", "2147483648", "4294967296",
        "9007199254740993", "-9007199254740993", "1e308", "-1e308", "1e400", "nan", "inf", "99999999999999999999999", "0.5", "",
    ]

    /// Spoils a text in one to four places.
    package static func spoil(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) { once(&bytes, &generator) }
        return bytes
    }

    /// Bytes without any sense, some of them of JSON.
    package static func noise(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let json = Array("[]{}\",:-0123456789eE.\\utfn ".utf8)
        let isJSON = Bool.random(using: &generator)
        return (0..<Int.random(in: 0...200, using: &generator)).map { _ in
            isJSON ? json.randomElement(using: &generator) ?? 0 : UInt8.random(in: 0...255, using: &generator)
        }
    }

    private static func once(_ bytes: inout [UInt8], _ generator: inout some RandomNumberGenerator) {
        guard !bytes.isEmpty else { return bytes = noise(using: &generator) }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...8, using: &generator)))
        case 4: bytes.insert(contentsOf: noise(using: &generator).prefix(8), at: place)
        case 5:
            let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        default: replaceNumber(&bytes, from: place, &generator)
        }
    }

    /// Puts an extreme number in place of the next one.
    private static func replaceNumber(_ bytes: inout [UInt8], from place: Int, _ generator: inout some RandomNumberGenerator) {
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) ?? bytes.firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array((numbers.randomElement(using: &generator) ?? "").utf8))
    }
}
