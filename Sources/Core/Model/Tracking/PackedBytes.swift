/// Writes binary wire forms: numbers as varints, seven bits a byte from the lowest on, the high bit where another byte follows (LEB128).
package struct PackedWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number in 8 bytes, the lowest first.
    package mutating func fixed(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package mutating func append(_ more: [UInt8]) { bytes += more }
}

/// Reads what `PackedWriter` wrote. Whatever the bytes are, it throws and does not trap, and takes no more memory than they do.
package struct PackedReader {
    private let all: [UInt8]
    private(set) var position = 0

    package init(_ bytes: [UInt8]) { all = bytes }

    package mutating func byte() throws(WireError) -> UInt8 {
        guard position < all.count else { throw WireError("it ends at byte \(position)") }
        defer { position += 1 }
        return all[position]
    }

    /// - Parameter most: any greater number is refused.
    package mutating func number(atMost most: UInt64) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            // Of the tenth byte one bit is left.
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << shift
            guard byte < 0x80 else { continue }
            guard value <= most else { throw WireError("the number \(value) is out of range") }
            return value
        }
        throw WireError("a number of more than 64 bits")
    }

    package mutating func fixed() throws(WireError) -> UInt64 {
        guard position + 8 <= all.count else { throw WireError("it ends at byte \(all.count)") }
        defer { position += 8 }
        var value: UInt64 = 0
        for place in 0..<8 { value |= UInt64(all[position + place]) << UInt64(8 * place) }
        return value
    }

    package mutating func bytes(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= all.count - position else { throw WireError("it ends at byte \(all.count)") }
        defer { position += count }
        return all[position..<(position + count)]
    }

    /// All bytes, those that were read among them.
    var count: Int { all.count }

    package var isAtEnd: Bool { position == all.count }

    /// Everything was read.
    package func end() throws(WireError) {
        guard position == all.count else { throw WireError("\(all.count - position) bytes follow its end") }
    }
}
