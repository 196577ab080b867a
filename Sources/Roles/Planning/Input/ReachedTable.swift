import CPrefetch
import Text

/// Digests of those whom earlier mailings have reached, without a row: 8 bytes a slot. A slot holds one half of a digest. The other half
/// leads to its bucket, a line of the processor's cache that is compared as a whole, and from a full bucket to the next. So an address is
/// taken for another with a probability of some 2^-60.
///
/// A filter of a byte a slot, which stays in the processor's caches, tells of nearly all other digests that they are not in the table: a
/// blocked Bloom filter with words of 64 bits as blocks, three bits a digest (see `SpilledDigests`).
struct ReachedTable {
    private typealias Bucket = SIMD8<UInt64>

    private var buckets: [Bucket]
    private var filter: [UInt64]
    private let most: Int
    private(set) var count = 0

    /// - Parameters:
    ///   - digests: how many are expected.
    ///   - mostSlots: a power of two; what is beyond three quarters of them does not go in.
    init(for digests: Int, mostSlots: Int) {
        var slots = 8
        while slots < mostSlots, slots * 3 < digests * 4 { slots *= 2 }
        most = min(slots, mostSlots) * 3 / 4
        buckets = .large(.zero, count: slots / 8)
        filter = .large(0, count: slots / 8)
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count >= most }

    @inline(__always) private func home(_ digest: SIMD2<UInt64>) -> Int { Int(truncatingIfNeeded: digest.x) & (buckets.count - 1) }

    /// Zero stands for a free slot.
    @inline(__always) private static func value(_ digest: SIMD2<UInt64>) -> UInt64 { digest.y == 0 ? 1 : digest.y }

    /// Lets what `contains` reads come from memory meanwhile.
    @inline(__always) func prefetch(_ digest: SIMD2<UInt64>) {
        filter.withUnsafeBufferPointer { if let start = $0.baseAddress { flotilla_prefetch(start + word(digest)) } }
    }

    /// The digest's word of the filter, which does not depend on its bucket.
    @inline(__always) private func word(_ digest: SIMD2<UInt64>) -> Int {
        Int(truncatingIfNeeded: digest.x >> 32) & (filter.count - 1)
    }

    @inline(__always) private static func bits(_ digest: SIMD2<UInt64>) -> UInt64 {
        1 << (digest.y >> 32 & 63) | 1 << (digest.y >> 38 & 63) | 1 << (digest.y >> 44 & 63)
    }

    @inline(__always) func contains(_ digest: SIMD2<UInt64>) -> Bool {
        let bits = Self.bits(digest)
        guard filter[word(digest)] & bits == bits else { return false }
        let value = Bucket(repeating: Self.value(digest))
        var place = home(digest)
        while true {
            let bucket = buckets[place]
            if any(bucket .== value) { return true }
            if any(bucket .== .zero) { return false }
            place = (place + 1) & (buckets.count - 1)
        }
    }

    /// Puts in a digest, which may be there already; the table must not be full.
    @inline(__always) mutating func insert(_ digest: SIMD2<UInt64>) {
        var place = home(digest)
        // Slots are used from the first to the last of a bucket.
        while buckets[place][7] != 0 { place = (place + 1) & (buckets.count - 1) }
        let used = Bucket(repeating: 1).replacing(with: 0, where: buckets[place] .== .zero).wrappedSum()
        buckets[place][Int(used)] = Self.value(digest)
        filter[word(digest)] |= Self.bits(digest)
        count += 1
    }
}
