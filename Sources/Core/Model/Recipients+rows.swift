extension Recipients {
    /// Reads some rows of a batch and passes the others.
    /// - Parameters:
    ///   - wanted: the places of the rows.
    ///   - wire: the wire form of the batch.
    ///   - addressesAlone: of each row only the first two values, id and address.
    /// - Returns: each row by its place, alone; none for places beyond the end.
    /// - Throws: `WireError` when it is not an array of rows of two strings at least.
    package static func rows(_ wanted: Set<Int>, of wire: [UInt8], addressesAlone: Bool) throws(WireError) -> [Int: Recipients] {
        var rows: [Int: Recipients] = [:]
        var place = 0
        try WireReader.array(wire) { reader throws(WireError) in
            defer { place += 1 }
            guard wanted.contains(place) else { return try reader.skip() }
            var values: [[UInt8]] = []
            try reader.array { reader throws(WireError) in
                guard !addressesAlone || values.count < 2 else { return try reader.skipString() }
                var value: [UInt8] = []
                try reader.string(into: &value)
                values.append(value)
            }
            guard values.count >= 2 else { throw WireError("a recipient with \(values.count) values") }
            var row = Recipients(width: values.count)
            for value in values { row.append(value) }
            rows[place] = row
        }
        return rows
    }
}
