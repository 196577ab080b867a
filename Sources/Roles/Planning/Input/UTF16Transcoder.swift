/// Turns the pieces of a text in UTF-16 into UTF-8. A surrogate without its partner becomes bytes that are no UTF-8.
struct UTF16Transcoder {
    let isBigEndian: Bool
    /// Bytes of a unit or surrogate pair whose rest has not come yet.
    private var left: [UInt8] = []

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// Replaces a piece by its UTF-8.
    /// - Parameter bytes: has room for one and a half times `count` bytes, and five more.
    /// - Returns: the bytes of UTF-8.
    mutating func decode(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
        left.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        var out = 0
        var index = 0
        while let unit = unit(at: index) {
            var length = 2
            var value = UInt32(unit)
            if UTF16.isLeadSurrogate(unit) {
                guard let second = self.unit(at: index + 2) else { break }
                if UTF16.isTrailSurrogate(second) {
                    value = 0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
                    length = 4
                }
            }
            index += length
            guard let scalar = Unicode.Scalar(value) else {
                bytes[out] = 0xff
                out += 1
                continue
            }
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                bytes[out] = byte
                out += 1
            }
        }
        left.removeFirst(min(index, left.count))
        return out
    }

    private func unit(at index: Int) -> UInt16? {
        guard index + 1 < left.count else { return nil }
        let (first, second) = (UInt16(left[index]), UInt16(left[index + 1]))
        return isBigEndian ? first << 8 | second : second << 8 | first
    }
}
