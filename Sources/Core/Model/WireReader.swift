import Text

/// A message between our own parts that is not what it should be.
package struct WireError: Error, CustomStringConvertible, Equatable {
    package let description: String
    package init(_ description: String) { self.description = description }

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

    mutating func int() throws(WireError) -> Int64 {
        do { return try cursor.integer() } catch { throw WireError(error) }
    }

    mutating func string() throws(WireError) -> String {
        do { return try cursor.string() } catch { throw WireError(error) }
    }

    /// Reads a string, and appends its bytes to `out`.
    mutating func string(into out: inout [UInt8]) throws(WireError) {
        do { try cursor.string(into: &out) } catch { throw WireError(error) }
    }

    mutating func skipString() throws(WireError) {
        do { try cursor.skipString() } catch { throw WireError(error) }
    }

    private mutating func end() throws(WireError) {
        do { try cursor.end() } catch { throw WireError(error) }
    }
}
