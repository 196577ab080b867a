import Text

/// The recipients of one batch: a table of text values, a row a recipient, a column a field of the mailing, in one piece of
/// memory. Its wire form, in the ledger and in Redis, is a JSON array of arrays of strings (RFC 8259), so that SQL's
/// `json_each` and any other tool can read it.
package struct Recipients: Sendable {
    /// The values one after another, as UTF-8.
    package private(set) var bytes: [UInt8] = []
    /// Where each value ends in `bytes`, row by row.
    package private(set) var ends: [UInt32] = []
    /// Values a row.
    package let width: Int

    package init(width: Int) {
        precondition(width > 0)
        self.width = width
    }

    package var count: Int { ends.count / width }
    package var isEmpty: Bool { ends.isEmpty }

    /// Where the value of a row and column lies in `bytes`.
    @inlinable package func range(_ row: Int, _ column: Int) -> Range<Int> {
        let cell = row * width + column
        return (cell == 0 ? 0 : Int(ends[cell - 1]))..<Int(ends[cell])
    }

    package subscript(row: Int, column: Int) -> String {
        String(decoding: bytes[range(row, column)], as: UTF8.self)
    }

    /// Adds the next value; a row is whole after `width` of them.
    package mutating func append(_ value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
        ends.append(UInt32(bytes.count))
    }

    /// Appends a value without generics, for other modules: they cannot specialise the function above, which then takes 300 ns.
    package mutating func append(_ value: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: value)
        ends.append(UInt32(bytes.count))
    }

    /// Appends the values of some columns of a row, as the function above.
    /// - Parameters:
    ///   - row: what `ranges` are ranges of.
    ///   - ranges: where the value of each column lies.
    package mutating func append(_ row: UnsafeBufferPointer<UInt8>, _ ranges: [Range<Int>], of columns: [Int]) {
        for column in columns { append(UnsafeBufferPointer(rebasing: row[ranges[column]])) }
    }

    package mutating func append(row: [String]) {
        precondition(row.count == width)
        for value in row { append(value.utf8) }
    }

    /// Removes rows, by their places.
    package mutating func remove(_ rows: Set<Int>) {
        var kept = Recipients(width: width)
        kept.bytes.reserveCapacity(bytes.count)
        for row in 0..<count where !rows.contains(row) {
            for column in 0..<width { kept.append(bytes[range(row, column)]) }
        }
        self = kept
    }

    /// Removes the last row.
    package mutating func removeLast() {
        ends.removeLast(width)
        bytes.removeLast(bytes.count - Int(ends.last ?? 0))
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}

extension Recipients {
    /// The wire form.
    package func encoded() -> [UInt8] {
        bytes.withUnsafeBufferPointer { ByteKinds($0).hasEscaped ? encodedEscaping($0) : encodedPlain($0) }
    }

    private func encodedEscaping(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out = JSONWriter(capacity: bytes.count + ends.count * 3 + count * 2 + 2)
        out.beginArray()
        for row in 0..<count {
            out.beginArray()
            for column in 0..<width { out.string(UnsafeBufferPointer(rebasing: bytes[range(row, column)])) }
            out.endArray()
        }
        out.endArray()
        return out.bytes
    }

    /// The wire form of values none of which has anything that is escaped, as of nearly all batches: they are copied as they are.
    private func encodedPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        // Each value has quotation marks and a comma or bracket behind it; each row an opening bracket and a comma.
        let capacity = bytes.count + ends.count * 3 + count * 2 + 2
        return [UInt8](unsafeUninitializedCapacity: capacity) { out, length in
            var (start, column) = (0, 0)
            func put(_ character: Unicode.Scalar) {
                out[length] = UInt8(ascii: character)
                length += 1
            }
            put("[")
            for end in ends {
                if column == 0 {
                    if length > 1 { put(",") }
                    put("[")
                } else {
                    put(",")
                }
                put("\"")
                let value = UnsafeBufferPointer(rebasing: bytes[start..<Int(end)])
                if let target = out.baseAddress, let source = value.baseAddress {
                    (target + length).update(from: source, count: value.count)
                }
                length += value.count
                put("\"")
                start = Int(end)
                column = column + 1 == width ? 0 : column + 1
                if column == 0 { put("]") }
            }
            put("]")
        }
    }

    /// Reads id and address of each recipient, the first two values of a row, and passes the others.
    /// - Throws: `WireError` when it is not an array of rows of two strings at least.
    package init(decodingAddresses wire: [UInt8]) throws(WireError) {
        self.init(width: 2)
        bytes.reserveCapacity(min(wire.count, WireLimit.batchBytes))
        try WireReader.array(wire) { reader throws(WireError) in
            try reader.beginArray()
            try reader.string(into: &self.bytes)
            self.ends.append(UInt32(self.bytes.count))
            try reader.next()
            try reader.string(into: &self.bytes)
            self.ends.append(UInt32(self.bytes.count))
            try reader.skipStrings()
            try reader.endArray()
        }
    }

    /// Reads the wire form.
    /// - Throws: `WireError` when it is not an array of rows of `width` strings.
    package init(decoding wire: [UInt8], width: Int) throws(WireError) {
        guard width > 0 else { throw WireError("recipients without fields") }
        guard wire.count <= Int(UInt32.max) else { throw WireError("\(wire.count) bytes of recipients") }
        self.init(width: width)
        bytes.reserveCapacity(wire.count)
        try WireReader.array(wire) { reader throws(WireError) in
            var columns = 0
            try reader.array { reader throws(WireError) in
                try reader.string(into: &self.bytes)
                self.ends.append(UInt32(self.bytes.count))
                columns += 1
            }
            guard columns == width else { throw WireError("a recipient with \(columns) values in place of \(width)") }
        }
    }
}
