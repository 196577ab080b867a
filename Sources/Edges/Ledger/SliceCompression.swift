import CZlib

/// Slices of an upload as the ledger stores them: compressed by zlib (RFC 1950) where that is shorter. The first byte says which.
enum SliceCompression {
    private static let plain: UInt8 = 0
    private static let compressed: UInt8 = 1

    static func pack(_ slice: [UInt8]) -> [UInt8] {
        var count = compressBound(uLong(slice.count))
        var packed = [UInt8](repeating: 0, count: Int(count) + 1)
        let status = packed.withUnsafeMutableBufferPointer { buffer in
            compress2(buffer.baseAddress.map { $0 + 1 }, &count, slice, uLong(slice.count), Z_BEST_SPEED)
        }
        guard status == Z_OK, count < slice.count else { return [plain] + slice }
        packed[0] = compressed
        packed.removeSubrange((Int(count) + 1)...)
        return packed
    }

    /// - Throws: `SQLDamage` for what `pack` has not made.
    static func unpack(_ stored: [UInt8]) throws(SQLDamage) -> [UInt8] {
        guard stored.first == compressed else {
            guard stored.first == plain else { throw SQLDamage("a slice of stored recipients is none") }
            return Array(stored.dropFirst())
        }
        var slice = [UInt8](repeating: 0, count: UploadLimit.slice)
        var count = uLongf(slice.count)
        let status = stored.withUnsafeBufferPointer { buffer in
            uncompress(&slice, &count, buffer.baseAddress.map { $0 + 1 }, uLong(buffer.count - 1))
        }
        guard status == Z_OK else { throw SQLDamage("a slice of stored recipients cannot be unpacked") }
        slice.removeSubrange(Int(count)...)
        return slice
    }
}
