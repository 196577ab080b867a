import Text

/// Addresses that a mailing has had already, or that earlier mailings have reached, as digests of 96 bits with the row of each. Its memory
/// is bounded: up to 3.1 million lie in a table of 64 MB at most; whenever it is full, it goes to a file without a name (20 bytes an
/// address), and a filter of 32 MB says which addresses are looked for there. As many of those whom earlier mailings have reached lie in a
/// table of their own, of 32 MB at most, and more of them with the others.
///
/// Two different addresses among n share a digest with a probability of n^2 / 2^97: 6e-16 for 10 million. The digest's keys
/// are drawn anew for each set, so that nobody can prepare addresses that collide.
struct DuplicateSet {
    /// Slots of the largest table in memory: 64 MB.
    static let mostSlots = 1 << 22

    private var recent: DigestTable
    private var reached = ReachedTable(for: 0, mostSlots: 1)
    private var spilled: SpilledDigests?
    private let mostSlots: Int
    private let keys: SIMD4<UInt64>
    /// Why addresses beyond the bound stay in memory: no file could be written.
    private(set) var spillFault: ScratchFile.Fault?

    /// - Parameter mostSlots: a power of two.
    init(using generator: inout some RandomNumberGenerator, mostSlots: Int = DuplicateSet.mostSlots) {
        recent = DigestTable(slots: min(mostSlots, 1 << 12))
        self.mostSlots = mostSlots
        keys = SIMD4(generator.next(), generator.next(), generator.next() | 1, generator.next() | 1)
    }

    /// The row of those whom earlier mailings have reached.
    private static let reachedRow = 0

    enum Insertion: Equatable {
        case new
        /// The row with which the key came first.
        case duplicate(Int)
        /// It comes for the first time, and an earlier mailing has reached it.
        case reached
    }

    /// A key on its way into the set.
    struct Entry {
        fileprivate var digest: SIMD2<UInt64>
    }

    /// Makes ready to insert a key, so that what `insert` reads is on its way from memory while the caller does something else.
    mutating func prepare(_ key: UnsafeBufferPointer<UInt8>) -> Entry {
        if recent.isFull { makeRoom() }
        let digest = digest(key)
        recent.prefetch(digest)
        if !reached.isEmpty { reached.prefetch(digest) }
        return Entry(digest: digest)
    }

    /// Puts a key into the set.
    /// - Parameters:
    ///   - entry: of `prepare`; no other key was prepared since.
    ///   - row: of the key, from 1; rows beyond the last that 32 bits hold count as that one.
    /// - Throws: when what was written to the file cannot be read any more.
    mutating func insert(_ entry: Entry, row: Int) throws(ScratchFile.Fault) -> Insertion {
        let digest = DigestTable.digest(entry.digest)
        let (found, slot) = recent.find(digest)
        let first = if let found { found } else { try spilled?.row(of: digest) }
        if let first, first != Self.reachedRow { return .duplicate(first) }
        recent.put(digest, row: row, at: slot)
        return first == nil && (reached.isEmpty || !reached.contains(entry.digest)) ? .new : .reached
    }

    /// Makes room for keys whom earlier mailings have reached.
    mutating func expectReached(_ count: Int) {
        if count > 0 { reached = ReachedTable(for: count, mostSlots: mostSlots) }
    }

    /// Puts in keys whom earlier mailings have reached, before any row.
    /// - Parameters:
    ///   - keys: one behind another.
    ///   - ends: where each ends.
    mutating func insertReached(_ keys: [UInt8], ends: [Int]) {
        // Apart from the table, so that the processor asks memory for many slots at a time.
        var digests: [SIMD2<UInt64>] = []
        digests.reserveCapacity(ends.count)
        keys.withUnsafeBufferPointer { keys in
            var start = 0
            for end in ends {
                digests.append(digest(UnsafeBufferPointer(rebasing: keys[start..<end])))
                start = end
            }
        }
        for raw in digests {
            if !reached.isFull {
                reached.insert(raw)
                continue
            }
            if recent.isFull { makeRoom() }
            let digest = DigestTable.digest(raw)
            let (found, slot) = recent.find(digest)
            // One that two mailings have reached may stand in two tables.
            if found == nil { recent.put(digest, row: Self.reachedRow, at: slot) }
        }
    }

    private mutating func makeRoom() {
        guard recent.slots.count >= mostSlots, spillFault == nil else { return recent.grow() }
        var tables = spilled ?? SpilledDigests(slots: recent.slots.count)
        // One owner, so that nothing is copied.
        spilled = nil
        do throws(ScratchFile.Fault) {
            try tables.append(recent)
            recent.removeAll()
        } catch {
            spillFault = error
            recent.grow()
        }
        spilled = tables
    }

    /// Two lanes of multiply-and-fold hashing (as wyhash and rapidhash do) with keys of their own.
    private func digest(_ key: UnsafeBufferPointer<UInt8>) -> SIMD2<UInt64> {
        let raw = UnsafeRawBufferPointer(key)
        var x = keys.x ^ UInt64(key.count)
        var y = keys.y ^ UInt64(key.count)
        func mix(_ word: UInt64) {
            x = FoldHash.fold(x ^ word, keys.z)
            y = FoldHash.fold(y ^ word, keys.w)
        }
        if raw.count < 8 {
            mix(raw.reduce(0) { $0 << 8 | UInt64($1) })
        } else {
            var index = 0
            while index + 8 < raw.count {
                mix(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            // The last eight bytes, some of which may be in the word before as well.
            mix(raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self))
        }
        // A last round each, so that the last word too reaches all bits.
        x = FoldHash.fold(x ^ 0x9e37_79b9_7f4a_7c15, keys.w)
        y = FoldHash.fold(y ^ 0xbf58_476d_1ce4_e5b9, keys.z)
        return SIMD2(x, y)
    }
}
