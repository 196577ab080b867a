import CPrefetch
import Text

/// Digests of 96 bits with a row of 32 bits each, in one table with open addressing: 16 bytes a slot, at most three quarters full.
struct DigestTable {
    /// A digest and, in the lower half of `y`, its row; zero for a free slot.
    typealias Slot = SIMD2<UInt64>
    private static let rowMask: UInt64 = 0xffff_ffff

    private(set) var slots: [Slot]
    private(set) var count = 0

    /// - Parameter slots: a power of two.
    init(slots: Int) { self.slots = .large(.zero, count: slots) }

    /// Another digest makes it more than three quarters full.
    var isFull: Bool { (count + 1) * 4 > slots.count * 3 }

    /// The first slot in which a digest may stand, in a table of so many slots.
    @inline(__always) static func home(_ digest: Slot, _ slots: Int) -> Int { Int(truncatingIfNeeded: digest.x) & (slots - 1) }

    /// The row of a slot that holds a digest; nil for another digest.
    @inline(__always) static func row(_ slot: Slot, _ digest: Slot) -> Int? {
        slot.x == digest.x && (slot.y ^ digest.y) & ~rowMask == 0 ? Int(slot.y & rowMask) : nil
    }

    /// 96 bits of a digest, with room for the row.
    static func digest(_ whole: SIMD2<UInt64>) -> Slot { Slot(whole.x, whole.y & ~rowMask) }

    /// Lets what `find` reads come from memory meanwhile.
    @inline(__always) func prefetch(_ digest: Slot) {
        slots.withUnsafeBufferPointer { if let start = $0.baseAddress { flotilla_prefetch(start + Self.home(digest, slots.count)) } }
    }

    /// The digest's row; else the free slot where it belongs.
    @inline(__always) func find(_ digest: Slot) -> (row: Int?, slot: Int) {
        var slot = Self.home(digest, slots.count)
        while slots[slot] != .zero {
            if let row = Self.row(slots[slot], digest) { return (row, slot) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return (nil, slot)
    }

    /// Puts a digest into the slot that `find` gave: a free one, or its own.
    mutating func put(_ digest: Slot, row: Int, at slot: Int) {
        if slots[slot] == .zero { count += 1 }
        slots[slot] = Slot(digest.x, digest.y | UInt64(UInt32(clamping: row)))
    }

    mutating func grow() {
        let old = slots
        slots = .large(.zero, count: old.count * 2)
        for digest in old where digest != .zero { slots[find(digest).slot] = digest }
    }

    mutating func removeAll() {
        for index in slots.indices { slots[index] = .zero }
        count = 0
    }
}
