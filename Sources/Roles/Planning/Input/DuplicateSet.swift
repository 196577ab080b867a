/// Addresses that a mailing has had already, as digests of 96 bits with the row of each, in one table with open addressing: 16 bytes a
/// slot, at most three quarters full, so 16 MB for 786,000 addresses, 32 MB for 1.5 million, 256 MB for 12 million.
///
/// Two different addresses among n share a digest with a probability of n^2 / 2^97: 6e-16 for 10 million. The digest's keys
/// are drawn anew for each set, so that nobody can prepare addresses that collide.
struct DuplicateSet {
    /// The digest and, in the lower half of `y`, the row; zero for a free slot.
    private typealias Slot = SIMD2<UInt64>
    private static let rowMask: UInt64 = 0xffff_ffff

    private var slots: [Slot]
    private var mask: Int
    private(set) var count = 0
    private let keys: SIMD4<UInt64>

    init(using generator: inout some RandomNumberGenerator) {
        slots = Array(repeating: .zero, count: 1 << 12)
        mask = slots.count - 1
        keys = SIMD4(generator.next(), generator.next(), generator.next() | 1, generator.next() | 1)
    }

    /// Puts a key into the set.
    /// - Parameter row: of the key, from 1; rows beyond the last that 32 bits hold count as that one.
    /// - Returns: the row with which the key came first; nil where it is new.
    mutating func insert(_ key: UnsafeBufferPointer<UInt8>, row: Int = 1) -> Int? {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let digest = digest(key)
        var slot = Int(truncatingIfNeeded: digest.x) & mask
        while slots[slot] != .zero {
            if Self.isSame(slots[slot], digest) { return Int(slots[slot].y & Self.rowMask) }
            slot = (slot + 1) & mask
        }
        slots[slot] = Slot(digest.x, digest.y | UInt64(UInt32(clamping: max(1, row))))
        count += 1
        return nil
    }

    @inline(__always) private static func isSame(_ slot: Slot, _ digest: Slot) -> Bool {
        slot.x == digest.x && (slot.y ^ digest.y) & ~rowMask == 0
    }

    /// Whether a key is in the set.
    func contains(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let digest = digest(key)
        var slot = Int(truncatingIfNeeded: digest.x) & mask
        while slots[slot] != .zero {
            if Self.isSame(slots[slot], digest) { return true }
            slot = (slot + 1) & mask
        }
        return false
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: .zero, count: old.count * 2)
        mask = slots.count - 1
        for digest in old where digest != .zero {
            var slot = Int(truncatingIfNeeded: digest.x) & mask
            while slots[slot] != .zero { slot = (slot + 1) & mask }
            slots[slot] = digest
        }
    }

    /// Two lanes of multiply-and-fold hashing (as wyhash and rapidhash do) with keys of their own, and room for the row.
    private func digest(_ key: UnsafeBufferPointer<UInt8>) -> Slot {
        let raw = UnsafeRawBufferPointer(key)
        var x = keys.x ^ UInt64(key.count)
        var y = keys.y ^ UInt64(key.count)
        var index = 0
        while index < key.count {
            var word: UInt64 = 0
            if index + 8 <= key.count {
                word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            } else {
                for byte in key[index...] { word = word << 8 | UInt64(byte) }
            }
            x = Self.fold(x ^ word, keys.z)
            y = Self.fold(y ^ word, keys.w)
            index += 8
        }
        // A last round each, so that the last word too reaches all bits.
        x = Self.fold(x ^ 0x9e37_79b9_7f4a_7c15, keys.w)
        y = Self.fold(y ^ 0xbf58_476d_1ce4_e5b9, keys.z)
        return Slot(x, y & ~Self.rowMask)
    }

    @inline(__always) private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
