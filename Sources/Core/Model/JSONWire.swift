/// A message between our own parts that is not what it should be.
package struct WireError: Error, CustomStringConvertible, Equatable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Writes compact JSON (RFC 8259) into bytes, without looking at what was nested: the caller keeps the grammar.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    package mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    package mutating func int(_ value: Int64) {
        separate()
        appendDecimal(value)
        needsComma = true
    }

    package mutating func string(_ value: some Collection<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        let plain = value.withContiguousStorageIfAvailable { buffer in
            appendEscaped(buffer)
            return true
        }
        if plain == nil { Array(value).withUnsafeBufferPointer { appendEscaped($0) } }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func appendEscaped(_ value: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in 0..<value.count {
            let byte = value[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: value[start..<index])
            start = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
            case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
            case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(contentsOf: value[start..<value.count])
    }

    private mutating func appendDecimal(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}

/// Reads the JSON that `JSONWriter` writes, and any other of arrays, strings and integers.
package struct JSONScanner: ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ what: String) -> WireError { WireError("\(what) at byte \(position) of \(bytes.count)") }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// Reads an array, calling `element` where each element stands.
    package mutating func array(
        _ element: (inout JSONScanner) throws(WireError) -> Void
    ) throws(WireError) {
        guard take(UInt8(ascii: "[")) else { throw error("expected an array") }
        if take(UInt8(ascii: "]")) { return }
        repeat { try element(&self) } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("expected ',' or ']'") }
    }

    /// Inside an array: whether another element follows; for rows of a fixed head and optional tail.
    package mutating func hasNext() -> Bool { take(UInt8(ascii: ",")) }
    package mutating func beginArray() throws(WireError) {
        guard take(UInt8(ascii: "[")) else { throw error("expected an array") }
    }
    package mutating func next() throws(WireError) {
        guard take(UInt8(ascii: ",")) else { throw error("expected ','") }
    }
    package mutating func endArray() throws(WireError) {
        guard take(UInt8(ascii: "]")) else { throw error("expected ']'") }
    }

    package mutating func int() throws(WireError) -> Int64 {
        skipSpace()
        let negative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        let start = position
        var value: Int64 = 0
        while position < bytes.count, case let digit = Int64(bytes[position]) - 48, (0...9).contains(digit) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = product.addingReportingOverflow(negative ? -digit : digit)
            guard !overflow, !overflowed else { throw error("number out of range") }
            value = sum
            position += 1
        }
        guard position > start else { throw error("expected a number") }
        return value
    }

    package mutating func string() throws(WireError) -> String {
        var value: [UInt8] = []
        try string(into: &value)
        return String(decoding: value, as: UTF8.self)
    }

    /// Reads a string and appends its bytes to `out`.
    package mutating func string(into out: inout [UInt8]) throws(WireError) {
        guard take(UInt8(ascii: "\"")) else { throw error("expected a string") }
        while true {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
                position += 1
            }
            out.append(contentsOf: bytes[start..<position])
            guard position < bytes.count else { throw error("unterminated string") }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "\"") { return }
            try escape(into: &out)
        }
    }

    private mutating func escape(into out: inout [UInt8]) throws(WireError) {
        guard position < bytes.count else { throw error("unterminated string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "u"):
            var scalar = try hexadecimal()
            if (0xd800..<0xdc00).contains(scalar) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                else { throw error("lone surrogate") }
                position += 2
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw error("lone surrogate") }
                scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw error("lone surrogate") }
            out.append(contentsOf: String(Character(scalar)).utf8)
        default: throw error("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(WireError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("expected four hexadecimal digits") }
        position += 4
        return value
    }

    /// Checks that nothing but white space is left.
    package mutating func end() throws(WireError) {
        skipSpace()
        guard position == bytes.count else { throw error("unexpected text") }
    }
}
