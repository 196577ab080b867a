/// Numbers in Crockford's base 32 in small letters: digits and letters without i, l, o and u. Read in either case.
package enum Base32 {
    package static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, digit) in alphabet.enumerated() {
            values[Int(digit)] = UInt8(value)
            if digit >= UInt8(ascii: "a") { values[Int(digit) - 32] = UInt8(value) }
        }
        return values
    }()

    /// Appends the lowest bits of a number, five to a digit, the highest first.
    package static func append(_ number: UInt64, digits: Int, to out: inout [UInt8]) {
        for place in (0..<digits).reversed() { out.append(alphabet[Int(number >> UInt64(5 * place) & 31)]) }
    }

    /// The number that 12 digits at most stand for; nil where a byte is no digit.
    package static func number(_ text: some Collection<UInt8>) -> UInt64? {
        guard text.count <= 12 else { return nil }
        var number: UInt64 = 0
        for byte in text {
            let value = values[Int(byte)]
            guard value < 32 else { return nil }
            number = number << 5 | UInt64(value)
        }
        return number
    }
}
