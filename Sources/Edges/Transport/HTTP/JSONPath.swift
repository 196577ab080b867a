import Text

/// A place in a JSON text: names of members and indices of elements with dots between, as in `messages.0.id`.
struct JSONPath: Sendable {
    private let components: [[UInt8]]

    init(_ text: String) {
        components = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    }

    /// The string or the number at the path, as text.
    /// - Parameter json: what a provider sent, perhaps cut off, perhaps no JSON; it is read up to the place.
    /// - Returns: nil where there is none, and where the text before it is no JSON.
    func text(in json: [UInt8]) -> String? {
        json.withUnsafeBufferPointer { bytes in
            var cursor = JSONCursor(bytes, tolerance: .lenient)
            do {
                for component in components { guard try Self.enter(&cursor, component) else { return nil } }
                return try Self.scalar(&cursor)
            } catch {
                return nil
            }
        }
    }

    /// Moves to a member's or an element's value; false where there is none.
    private static func enter(_ cursor: inout JSONCursor, _ component: [UInt8]) throws(JSONSyntaxError) -> Bool {
        switch cursor.peek() {
        case UInt8(ascii: "{"): return try enter(&cursor, member: component)
        case UInt8(ascii: "["):
            guard let index = Int(String(decoding: component, as: UTF8.self)), index >= 0 else { return false }
            return try enter(&cursor, element: index)
        default: return false
        }
    }

    private static func enter(_ cursor: inout JSONCursor, member name: [UInt8]) throws(JSONSyntaxError) -> Bool {
        _ = cursor.take(UInt8(ascii: "{"))
        if cursor.peek() == UInt8(ascii: "}") { return false }
        var key: [UInt8] = []
        repeat {
            key.removeAll(keepingCapacity: true)
            try cursor.key(into: &key)
            if key == name { return true }
            try cursor.skipValue()
        } while cursor.take(UInt8(ascii: ","))
        return false
    }

    private static func enter(_ cursor: inout JSONCursor, element index: Int) throws(JSONSyntaxError) -> Bool {
        _ = cursor.take(UInt8(ascii: "["))
        if cursor.peek() == UInt8(ascii: "]") { return false }
        for _ in 0..<index {
            try cursor.skipValue()
            guard cursor.take(UInt8(ascii: ",")) else { return false }
        }
        return true
    }

    private static func scalar(_ cursor: inout JSONCursor) throws(JSONSyntaxError) -> String? {
        switch cursor.peek() {
        case UInt8(ascii: "\""): return try cursor.string()
        case let byte? where byte.isDigit || byte == UInt8(ascii: "-"):
            return String(decoding: cursor.text(try cursor.number()), as: UTF8.self)
        default: return nil
        }
    }
}
