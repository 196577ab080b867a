import Text

extension StructuredValue {
    /// Reads any JSON text (RFC 8259), nested at most 64 deep.
    /// - Throws: `JSONSyntaxError` at the first byte that does not fit.
    static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> StructuredValue {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONSyntaxError) in
            var reader = StructuredValueReader(bytes: bytes, cursor: JSONCursor(buffer))
            let value = try reader.value(depth: 0)
            try reader.cursor.end()
            return value
        }
    }
}

/// Builds the tree of a JSON text.
private struct StructuredValueReader {
    /// The same bytes as the cursor's, of which values keep slices.
    let bytes: [UInt8]
    var cursor: JSONCursor

    mutating func value(depth: Int) throws(JSONSyntaxError) -> StructuredValue {
        guard depth < JSONCursor.deepest else { throw cursor.error(.tooDeep) }
        let first = cursor.peek()
        let start = cursor.position
        switch first {
        case UInt8(ascii: "{"):
            let members = try members(depth: depth)
            return .object(members, source: bytes[start..<cursor.position])
        case UInt8(ascii: "["):
            let items = try items(depth: depth)
            return .list(items, source: bytes[start..<cursor.position])
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"):
            try cursor.word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try cursor.word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try cursor.word("null")
            return .null
        case nil: throw cursor.error(.endsBeforeValue)
        default: return .number(bytes[try cursor.number()])
        }
    }

    private mutating func members(depth: Int) throws(JSONSyntaxError) -> [StructuredValue.Member] {
        _ = cursor.take(UInt8(ascii: "{"))
        if cursor.take(UInt8(ascii: "}")) { return [] }
        var members: [StructuredValue.Member] = []
        repeat {
            var name: [UInt8] = []
            try cursor.key(into: &name)
            members.append(StructuredValue.Member(name: name, value: try value(depth: depth + 1)))
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "}")) else { throw cursor.error(.noCommaInObject) }
        return members
    }

    private mutating func items(depth: Int) throws(JSONSyntaxError) -> [StructuredValue] {
        _ = cursor.take(UInt8(ascii: "["))
        if cursor.take(UInt8(ascii: "]")) { return [] }
        var items: [StructuredValue] = []
        repeat { items.append(try value(depth: depth + 1)) } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "]")) else { throw cursor.error(.noCommaInArray) }
        return items
    }

    private mutating func text() throws(JSONSyntaxError) -> [UInt8] {
        var text: [UInt8] = []
        try cursor.string(into: &text)
        return text
    }
}
