/// The steps of a hash by multiply-and-fold over words of eight bytes (as wyhash and rapidhash do).
enum FoldHash {
    /// The word that begins at a place; of the last one, the bytes that there are.
    @inline(__always) static func word(of key: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt64 {
        if index + 8 <= key.count { return UnsafeRawBufferPointer(key).loadUnaligned(fromByteOffset: index, as: UInt64.self) }
        var word: UInt64 = 0
        for byte in key[index...] { word = word << 8 | UInt64(byte) }
        return word
    }

    @inline(__always) static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
