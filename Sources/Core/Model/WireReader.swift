import Text

/// A message between our own parts that is not what it should be.
package struct WireError: Error, CustomStringConvertible, Equatable {
    package let description: String
    /// It is of a newer release, and that is all that is wrong.
    package let isNewer: Bool

    package init(_ description: String, isNewer: Bool = false) {
        self.description = description
        self.isNewer = isNewer
    }

    fileprivate init(_ error: JSONSyntaxError) { self.init("\(error.problem) at byte \(error.offset)") }
}

/// Reads our wire formats: JSON arrays of arrays, strings and whole numbers.
struct WireReader {
    private var cursor: JSONCursor

    /// Reads a wire form, which is one array, and calls `element` where each of its elements stands.
    static func array(_ wire: [UInt8], _ element: (inout WireReader) throws(WireError) -> Void) throws(WireError) {
        try wire.withUnsafeBufferPointer { bytes throws(WireError) in
            var reader = WireReader(cursor: JSONCursor(bytes))
            try reader.array(element)
            try reader.end()
        }
    }

    /// Reads a wire form as far as it can be read: an element that `element` refuses is skipped.
    /// - Returns: why the first such element, or the rest of the wire form, cannot be read; nil where all can.
    static func readable(_ wire: [UInt8], _ element: (inout WireReader) throws(WireError) -> Void) -> WireError? {
        wire.withUnsafeBufferPointer { bytes in
            var reader = WireReader(cursor: JSONCursor(bytes))
            var problem: WireError?
            do throws(WireError) {
                try reader.array { reader throws(WireError) in
                    let start = reader
                    do throws(WireError) {
                        try element(&reader)
                    } catch {
                        problem = problem ?? error
                        reader = start
                        try reader.skip()
                    }
                }
                try reader.end()
            } catch {
                problem = problem ?? error
            }
            return problem
        }
    }

    /// Reads an array, and calls `element` where each of its elements stands.
    mutating func array(_ element: (inout WireReader) throws(WireError) -> Void) throws(WireError) {
        try beginArray()
        if cursor.take(UInt8(ascii: "]")) { return }
        repeat { try element(&self) } while hasNext()
        try endArray()
    }

    mutating func beginArray() throws(WireError) {
        guard cursor.take(UInt8(ascii: "[")) else { throw WireError(cursor.error(.noArray)) }
    }

    /// Inside an array: whether another element follows, for rows of a fixed head and an optional tail.
    mutating func hasNext() -> Bool { cursor.take(UInt8(ascii: ",")) }

    mutating func next() throws(WireError) {
        guard hasNext() else { throw WireError(cursor.error(.noCommaInArray)) }
    }

    mutating func endArray() throws(WireError) {
        guard cursor.take(UInt8(ascii: "]")) else { throw WireError(cursor.error(.noCommaInArray)) }
    }

    /// Reads a whole number.
    mutating func int(in range: ClosedRange<Int64>) throws(WireError) -> Int64 {
        let value: Int64
        do { value = try cursor.integer() } catch { throw WireError(error) }
        guard range.contains(value) else { throw WireError("the number \(value) is out of range") }
        return value
    }

    mutating func string() throws(WireError) -> String {
        do { return try cursor.string() } catch { throw WireError(error) }
    }

    /// Reads a string of so many bytes at most.
    mutating func string(atMost length: Int) throws(WireError) -> String {
        let text = try string()
        guard text.utf8.count <= length else { throw WireError("a text of \(text.utf8.count) bytes") }
        return text
    }

    /// Reads a string, and appends its bytes to `out`.
    mutating func string(into out: inout [UInt8]) throws(WireError) {
        do { try cursor.string(into: &out) } catch { throw WireError(error) }
    }

    mutating func skipString() throws(WireError) {
        do { try cursor.skipString() } catch { throw WireError(error) }
    }

    /// Passes the strings that follow in an array.
    mutating func skipStrings() throws(WireError) {
        do { try cursor.skipStrings() } catch { throw WireError(error) }
    }

    /// The byte at which it stands.
    var position: Int { cursor.position }

    /// Passes a value of any kind.
    mutating func skip() throws(WireError) {
        do { try cursor.skipValue() } catch { throw WireError(error) }
    }

    private mutating func end() throws(WireError) {
        do { try cursor.end() } catch { throw WireError(error) }
    }
}
