/// What is wrong with a line that should be a JSON object.
struct JSONFault: Error, Equatable {
    let problem: String
    /// The key whose value it is.
    var key: [UInt8]?
}

/// Takes one JSON object apart into the values of its keys, strictly by RFC 8259.
struct JSONObjectParser {
    /// The columns; found as they come while the first object is read.
    private(set) var keys: [[UInt8]]
    /// Keys that are none of the columns.
    private(set) var ignored: [[UInt8]] = []
    private let isFirst: Bool
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var key: [UInt8] = []

    /// How deep a nested value may be.
    private static let depthLimit = 64

    init(_ bytes: UnsafeBufferPointer<UInt8>, keys: [[UInt8]] = [], isFirst: Bool = false) {
        self.bytes = bytes
        self.keys = keys
        self.isFirst = isFirst
    }

    /// Reads the object into `row`, a value a key.
    /// - Returns: what is wrong, or nil.
    mutating func parse(into row: inout InputRow) -> JSONFault? {
        row.removeAll()
        if let found = TextCheck.firstFault(bytes) {
            return JSONFault(
                problem: found.fault == .nul
                    ? "has a NUL byte in it; is it a text file in UTF-8?"
                    : "is no valid UTF-8 (byte \(found.offset + 1) of the line); save the file as UTF-8")
        }
        for _ in keys { row.ranges.append(0..<0) }
        do {
            try object(&row)
            return nil
        } catch {
            return error
        }
    }

    private mutating func object(_ row: inout InputRow) throws(JSONFault) {
        guard take(UInt8(ascii: "{")) else {
            throw fault("is no JSON object; each line needs one, {\"email\": \"…\", …}")
        }
        var seen = [Bool](repeating: false, count: keys.count)
        var expected = 0
        if !take(UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                var name = key
                key = []
                name.removeAll(keepingCapacity: true)
                try string(into: &name)
                key = name
                guard take(UInt8(ascii: ":")) else { throw fault("needs a ':' behind the key") }
                skipSpace()
                let start = row.bytes.count
                try value(into: &row.bytes)
                guard row.bytes.count - start <= InputLimit.field else {
                    throw JSONFault(
                        problem: "has a value of more than \(InputLimit.field >> 20) MB, which is the limit", key: key)
                }
                guard let column = column(expected) else {
                    if isFirst {
                        keys.append(key)
                        seen.append(true)
                        row.ranges.append(start..<row.bytes.count)
                    } else {
                        ignored.append(key)
                        row.bytes.removeSubrange(start...)
                    }
                    continue
                }
                guard !seen[column] else { throw JSONFault(problem: "stands twice in the object", key: key) }
                seen[column] = true
                row.ranges[column] = start..<row.bytes.count
                expected = column + 1
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw fault("needs ',' or '}'") }
        }
        skipSpace()
        guard index == bytes.count else {
            throw fault("has text behind the object; each must stand on a line of its own")
        }
    }

    /// The column of the key just read, looked for first where it stood in the object before.
    private func column(_ expected: Int) -> Int? {
        if expected < keys.count, keys[expected] == key { return expected }
        return keys.firstIndex(of: key)
    }

    private mutating func value(into out: inout [UInt8]) throws(JSONFault) {
        guard index < bytes.count else { throw fault("ends before a value") }
        switch bytes[index] {
        case UInt8(ascii: "\""): try string(into: &out)
        case UInt8(ascii: "n"): try word("null")
        default:
            let start = index
            try skipValue(depth: 0)
            out.append(contentsOf: bytes[start..<index])
        }
    }

    private mutating func skipValue(depth: Int) throws(JSONFault) {
        guard depth < Self.depthLimit else { throw fault("is nested more than \(Self.depthLimit) deep") }
        skipSpace()
        guard index < bytes.count else { throw fault("ends before a value") }
        switch bytes[index] {
        case UInt8(ascii: "{"):
            index += 1
            if take(UInt8(ascii: "}")) { return }
            repeat {
                skipSpace()
                try skipString()
                guard take(UInt8(ascii: ":")) else { throw fault("needs a ':' behind the key") }
                try skipValue(depth: depth + 1)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw fault("needs ',' or '}'") }
        case UInt8(ascii: "["):
            index += 1
            if take(UInt8(ascii: "]")) { return }
            repeat { try skipValue(depth: depth + 1) } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw fault("needs ',' or ']'") }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func skipString() throws(JSONFault) {
        var unused: [UInt8] = []
        try string(into: &unused)
    }

    private mutating func word(_ word: StaticString) throws(JSONFault) {
        let matches = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
        guard matches else { throw fault("has no JSON value (a text needs quotation marks)") }
        index += word.utf8CodeUnitCount
    }

    private mutating func number() throws(JSONFault) {
        if peek == UInt8(ascii: "-") { index += 1 }
        let isZero = peek == UInt8(ascii: "0")
        let count = digits()
        guard count > 0 else { throw fault("has no JSON value (a text needs quotation marks)") }
        guard !isZero || count == 1 else {
            throw fault("has a number with a leading zero; put it between quotation marks")
        }
        if peek == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { throw fault("has a number without digits behind its dot") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            index += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { throw fault("has a number without digits in its exponent") }
        }
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = peek, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { index += 1 }
        return index - start
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0d, 0x0a: index += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private func fault(_ problem: String) -> JSONFault {
        JSONFault(problem: problem + " (byte \(min(index + 1, bytes.count)) of the line)", key: key.isEmpty ? nil : key)
    }
}

extension JSONObjectParser {
    /// Reads a string and appends what it stands for.
    private mutating func string(into out: inout [UInt8]) throws(JSONFault) {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            throw fault("needs a key between quotation marks")
        }
        index += 1
        while true {
            let start = index
            while index < bytes.count, case let byte = bytes[index], byte >= 0x20, byte != UInt8(ascii: "\""),
                byte != UInt8(ascii: "\\")
            {
                index += 1
            }
            out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
            guard index < bytes.count else { throw fault("has no closing quotation mark") }
            index += 1
            switch bytes[index - 1] {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try escape(into: &out)
            default: throw fault("has a control character in a text; write it as \\n, \\t or \\u00XX")
            }
        }
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONFault) {
        guard let byte = peek else { throw fault("has no closing quotation mark") }
        index += 1
        switch byte {
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if 0xd800..<0xdc00 ~= value {
                guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
                else {
                    throw fault("has half a surrogate pair")
                }
                index += 2
                let low = try hexadecimal()
                guard 0xdc00..<0xe000 ~= low else { throw fault("has half a surrogate pair") }
                value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
            }
            guard value != 0 else { throw fault("has a NUL (\\u0000) in a text") }
            guard let scalar = Unicode.Scalar(value) else { throw fault("has half a surrogate pair") }
            out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw fault("has an unknown escape in a text")
        }
    }

    private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
        guard index + 4 <= bytes.count else { throw fault("needs four hexadecimal digits behind \\u") }
        var value: UInt32 = 0
        for offset in 0..<4 {
            let byte = bytes[index + offset]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw fault("needs four hexadecimal digits behind \\u")
            }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
