extension JSONCursor {
    /// Passes a value of any kind and checks its grammar; lists and objects at most `deepest` deep.
    public mutating func skipValue() throws(JSONSyntaxError) {
        // A bit for each list and object around the cursor, the innermost last: 1 for an object.
        var kinds: UInt64 = 0
        var depth = 0
        while true {
            guard let byte = peek() else { throw error(.endsBeforeValue) }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                let isObject = byte == UInt8(ascii: "{")
                index += 1
                if !take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    guard depth < Self.deepest else { throw error(.tooDeep) }
                    depth += 1
                    kinds = kinds << 1 | (isObject ? 1 : 0)
                    if isObject { try skipKey() }
                    continue
                }
            } else {
                try skipScalar(byte)
            }
            // After a value: the list or object around it continues or ends.
            while true {
                guard depth > 0 else { return }
                let isObject = kinds & 1 == 1
                if take(UInt8(ascii: ",")) {
                    if isObject { try skipKey() }
                    break
                }
                guard take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw error(isObject ? .noCommaInObject : .noCommaInArray)
                }
                depth -= 1
                kinds >>= 1
            }
        }
    }

    private mutating func skipKey() throws(JSONSyntaxError) {
        try skipString()
        guard take(UInt8(ascii: ":")) else { throw error(.noColon) }
    }

    private mutating func skipScalar(_ first: UInt8) throws(JSONSyntaxError) {
        switch first {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: _ = try number()
        }
    }

    /// Passes a number (RFC 8259 section 6).
    /// - Returns: where it stands.
    public mutating func number() throws(JSONSyntaxError) -> Range<Int> {
        skipSpace()
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        let isZero = current == UInt8(ascii: "0")
        let count = skipDigits()
        guard count > 0 else { throw error(.noValue) }
        guard !isZero || count == 1 else { throw error(.leadingZero) }
        if current == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() > 0 else { throw error(.noDigitsBehindDot) }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            guard skipDigits() > 0 else { throw error(.noDigitsInExponent) }
        }
        return start..<index
    }

    /// Passes a whole number without fraction and exponent; leading zeros are read.
    @inlinable
    public mutating func integer() throws(JSONSyntaxError) -> Int64 {
        skipSpace()
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let start = index
        var value: Int64 = 0
        while index < bytes.count, bytes[index].isDigit {
            let digit = Int64(bytes[index] &- UInt8(ascii: "0"))
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !overflow, !overflowed else { throw error(.numberOutOfRange) }
            value = sum
            index += 1
        }
        guard index > start else { throw error(.noNumber) }
        return value
    }

    @inlinable var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipDigits() -> Int {
        let start = index
        while index < bytes.count, bytes[index].isDigit { index += 1 }
        return index - start
    }
}
