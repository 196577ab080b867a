/// Base64 for URLs without padding (RFC 4648 section 5).
package enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// The characters that so many bytes take.
    package static func length(of bytes: Int) -> Int { (bytes * 8 + 5) / 6 }

    package static func append(_ bytes: [UInt8], to out: inout [UInt8]) { bytes.withUnsafeBytes { append($0, to: &out) } }

    /// Messages have several of them: a function for any sequence would cost ten times as much where it is called from another module.
    package static func append(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        digits.withUnsafeBufferPointer { digits in
            var (bits, count): (UInt32, UInt32) = (0, 0)
            for byte in bytes {
                (bits, count) = (bits << 8 | UInt32(byte), count + 8)
                while count >= 6 {
                    count -= 6
                    out.append(digits[Int(bits >> count & 63)])
                }
            }
            if count > 0 { out.append(digits[Int(bits << (6 - count) & 63)]) }
        }
    }

    /// The bytes that a text stands for; nil for any other character, and for a text that no bytes have: each has one spelling.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var (bits, count): (UInt32, UInt32) = (0, 0)
        for character in Array(text) {
            let value = values[Int(character)]
            guard value < 64 else { return nil }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        guard count < 6, bits & (1 << count - 1) == 0 else { return nil }
        return out
    }
}
