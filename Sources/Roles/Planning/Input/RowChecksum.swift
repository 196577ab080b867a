/// A checksum of the values of rows, in their order: by it a file is known again whose rows were read before, whatever its size and time of
/// modification say. Two files differ in it but for one chance in 2^64; it is no protection against somebody who means harm.
struct RowChecksum: Equatable, Sendable {
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    private(set) var value: UInt64 = 0x243f_6a88_85a3_08d3

    /// Continues after rows that were read before.
    init(value: UInt64? = nil) {
        if let value { self.value = value }
    }

    /// Adds a row; the lengths of its values count too.
    mutating func add(_ row: InputRow) {
        var value = value
        row.bytes.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                value = Self.fold(value ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            var rest: UInt64 = 0
            for byte in bytes[index...] { rest = rest << 8 | UInt64(byte) }
            value = Self.fold(value ^ rest ^ UInt64(bytes.count) << 56)
        }
        for range in row.ranges { value = Self.fold(value ^ UInt64(range.upperBound)) }
        self.value = value
    }

    @inline(__always) private static func fold(_ value: UInt64) -> UInt64 {
        // Each step can be undone, so that no bit is lost.
        let product = (value ^ value >> 32) &* factor
        return product ^ product >> 29
    }
}
