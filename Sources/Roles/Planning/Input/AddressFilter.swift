/// Tells most of the addresses that are not in a set from those that may be, in bounded memory: a Bloom filter with 16 bits and 7 probes
/// for each address that it is made for, which takes one stranger in 1,400 for a member. Beyond `mostBytes` more strangers pass, and no
/// member is ever missed.
struct AddressFilter: Sendable {
    /// Bytes of a filter at most: 16.7 million addresses at 16 bits each.
    static let mostBytes = 32 << 20

    private static let probes = 7
    private var words: [UInt64]
    private let mask: UInt64

    /// - Parameter count: addresses that are to be inserted, about.
    init(for count: Int) {
        var bytes = 1 << 10
        while bytes < Self.mostBytes, bytes / 2 < count { bytes *= 2 }
        words = Array(repeating: 0, count: bytes / 8)
        mask = UInt64(bytes * 8 - 1)
    }

    mutating func insert(_ key: UnsafeBufferPointer<UInt8>) {
        var (bit, step) = Self.hash(key)
        for _ in 0..<Self.probes {
            let place = bit & mask
            words[Int(place >> 6)] |= 1 << (place & 63)
            bit &+= step
        }
    }

    /// Whether an address may be a member; false is certain.
    func mayContain(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        var (bit, step) = Self.hash(key)
        for _ in 0..<Self.probes {
            let place = bit & mask
            if words[Int(place >> 6)] & 1 << (place & 63) == 0 { return false }
            bit &+= step
        }
        return true
    }

    /// Where the probes begin and how far they are apart (double hashing), by multiply-and-fold over words of eight bytes.
    private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> (UInt64, UInt64) {
        var state = 0x9e37_79b9_7f4a_7c15 ^ UInt64(key.count)
        var index = 0
        while index < key.count {
            let word = FoldHash.word(of: key, at: index)
            state = FoldHash.fold(state ^ word, 0xbf58_476d_1ce4_e5b9)
            index += 8
        }
        let second = FoldHash.fold(state ^ 0x94d0_49bb_1331_11eb, 0x9e37_79b9_7f4a_7c15)
        return (state, second | 1)
    }
}
