extension PostgreSQLConnection {
    /// Lends strings as a C array that ends with null.
    static func withCStrings<T>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
        withPointers(to: strings.map { Array($0.utf8CString) }) { body($0 + [nil]) }
    }

    /// Lends parameters as libpq takes them: where each begins (null for null), its length, and that it is binary.
    static func withParameters<T>(_ values: [SQLValue], _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> T) -> T {
        let encoded = values.map(\.encoded)
        // The byte at the end gives an empty value an address: without one it would be null.
        let bytes = encoded.map { $0.map { $0.map { CChar(bitPattern: $0) } + [0] } }
        let lengths = encoded.map { Int32(clamping: $0?.count ?? 0) }
        return withPointers(to: bytes) { body($0, lengths, Array(repeating: 1, count: values.count)) }
    }

    private static func withPointers<T>(to items: [[CChar]?], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
        let bytes = items.flatMap { $0 ?? [] }
        return bytes.withUnsafeBufferPointer { all in
            var start = 0
            let pointers = items.map { item -> UnsafePointer<CChar>? in
                guard let item, let base = all.baseAddress else { return nil }
                defer { start += item.count }
                return base + start
            }
            return body(pointers)
        }
    }
}
