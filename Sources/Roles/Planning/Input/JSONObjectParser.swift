import Text

/// What is wrong with a line that should be a JSON object.
struct JSONObjectError: Error, Equatable {
    let problem: String
    /// The key whose value it is.
    var key: [UInt8]?
}

/// Keys of objects as columns.
struct JSONColumns: Equatable {
    private(set) var names: [[UInt8]] = []
    /// The place of each among the columns: looked for one after another, a thousand keys would be a million comparisons a row.
    private var places: [[UInt8]: Int] = [:]

    var count: Int { names.count }

    mutating func append(_ name: [UInt8]) {
        places[name] = names.count
        names.append(name)
    }

    /// - Parameter expected: where it is looked for first.
    func place(of name: [UInt8], expected: Int) -> Int? {
        expected < names.count && names[expected] == name ? expected : places[name]
    }
}

/// Reads one JSON object as a row: a value for each column, strictly by RFC 8259.
struct JSONObjectParser {
    /// The columns; those of the first objects are added as they come.
    private(set) var keys: JSONColumns
    /// Keys that are none of the columns.
    private(set) var ignored: [[UInt8]] = []
    private let isFirst: Bool
    private let bytes: UnsafeBufferPointer<UInt8>
    private var cursor: JSONCursor
    private var key: [UInt8] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, keys: JSONColumns, isFirst: Bool = false) {
        self.bytes = bytes
        self.keys = keys
        self.isFirst = isFirst
        cursor = JSONCursor(bytes, tolerance: .withoutNUL)
    }

    /// Reads the object into `row`, one value for each key.
    /// - Returns: what is wrong, or nil.
    mutating func parse(into row: inout InputRow) -> JSONObjectError? {
        row.removeAll()
        if let found = UTF8Check.firstFault(bytes) {
            return JSONObjectError(
                problem: found.fault == .nul
                    ? "has a NUL byte in it; is it a text file in UTF-8?"
                    : "is no valid UTF-8 (byte \(found.offset + 1) of the line); save the file as UTF-8")
        }
        for _ in 0..<keys.count { row.ranges.append(0..<0) }
        do {
            try object(&row)
            return nil
        } catch {
            return error
        }
    }

    private mutating func object(_ row: inout InputRow) throws(JSONObjectError) {
        guard cursor.take(UInt8(ascii: "{")) else {
            throw error("is no JSON object; each line needs one, {\"email\": \"…\", …}", at: cursor.position)
        }
        var seen = [Bool](repeating: false, count: keys.count)
        var expected = 0
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                try readKey()
                let start = row.bytes.count
                let first = cursor.peek()
                let isNested = first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
                do { try value(into: &row.bytes) } catch { throw self.error(error) }
                guard row.bytes.count - start <= InputLimit.field else {
                    throw JSONObjectError(
                        problem: "has a value of more than \(InputLimit.field >> 20) MB, which is the limit", key: key)
                }
                guard let column = keys.place(of: key, expected: expected) else {
                    if isFirst {
                        guard keys.count < InputLimit.columns else {
                            throw JSONObjectError(problem: "has more than \(InputLimit.columns) keys, which name the columns", key: key)
                        }
                        if isNested { row.nested.append(keys.count) }
                        keys.append(key)
                        seen.append(true)
                        row.ranges.append(start..<row.bytes.count)
                    } else {
                        if ignored.count < InputLimit.columns { ignored.append(key) }
                        row.bytes.removeSubrange(start...)
                    }
                    continue
                }
                guard !seen[column] else { throw JSONObjectError(problem: "stands twice in the object", key: key) }
                seen[column] = true
                if isNested { row.nested.append(column) }
                row.ranges[column] = start..<row.bytes.count
                expected = column + 1
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { throw error(cursor.error(.noCommaInObject)) }
        }
        guard cursor.peek() == nil else {
            throw error("has text behind the object; each must stand on a line of its own", at: cursor.position)
        }
    }

    /// Reads the next key, and moves to its value.
    private mutating func readKey() throws(JSONObjectError) {
        // The storage of the last key is used again, and an error in a key belongs to no column.
        var name = key
        key = []
        name.removeAll(keepingCapacity: true)
        do { try cursor.key(into: &name) } catch { throw self.error(error) }
        key = name
    }

    /// Appends a string without its escapes, nothing for `null`, and any other value as it is written.
    private mutating func value(into out: inout [UInt8]) throws(JSONSyntaxError) {
        switch cursor.peek() {
        case UInt8(ascii: "\""): try cursor.string(into: &out)
        case UInt8(ascii: "n"): try cursor.word("null")
        default:
            let start = cursor.position
            try cursor.skipValue()
            out.append(contentsOf: cursor.text(start..<cursor.position))
        }
    }

    private func error(_ error: JSONSyntaxError) -> JSONObjectError { self.error("\(error.problem)", at: error.offset) }

    /// - Parameter offset: the byte of the line, from 0; people count from 1.
    private func error(_ problem: String, at offset: Int) -> JSONObjectError {
        JSONObjectError(problem: problem + " (byte \(min(offset + 1, bytes.count)) of the line)", key: key.isEmpty ? nil : key)
    }
}
