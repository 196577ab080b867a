/// One row of an input. Its values lie one after another in memory that the next row reuses.
package struct InputRow: Sendable {
    /// What `range` points into; valid UTF-8 within each value.
    package internal(set) var bytes: [UInt8] = []
    var ranges: [Range<Int>] = []
    /// Its number, from 1; the header does not count.
    package internal(set) var number = 0
    /// The line of the file on which it starts, from 1.
    package internal(set) var line = 1

    package init() {}

    package var count: Int { ranges.count }

    /// Where the value of a column lies in `bytes`.
    package func range(_ column: Int) -> Range<Int> { ranges[column] }

    package subscript(column: Int) -> String { String(decoding: bytes[ranges[column]], as: UTF8.self) }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
    }
}
