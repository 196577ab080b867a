import Text

/// Full tables of digests on disk, with a filter in memory that nearly always knows that a digest is in none of them.
///
/// The filter is a blocked Bloom filter (F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): a
/// word of 64 bits for each slot of a table, in it three bits for each digest that belongs there. With tables of 4 million slots it lets
/// through 0.1 % of the digests that are in no table at 10 million, 8 % at 50 million; each of them costs a read of 4 KB for every table.
struct SpilledDigests {
    /// Slots that are read at a time: 4 KB.
    private static let pageSlots = 256

    private var filter: [UInt64]
    private var files: [ScratchFile] = []
    /// Slots of each table.
    private let slots: Int

    init(slots: Int) {
        self.slots = slots
        filter = .large(0, count: slots)
    }

    /// Writes a table into a file of its own.
    mutating func append(_ table: DigestTable) throws(ScratchFile.Fault) {
        precondition(table.slots.count == slots)
        let file = try ScratchFile()
        try table.slots.withUnsafeBufferPointer { slots throws(ScratchFile.Fault) in try file.append(UnsafeRawBufferPointer(slots)) }
        files.append(file)
        for digest in table.slots where digest != .zero { filter[DigestTable.home(digest, slots)] |= Self.bits(digest) }
    }

    /// The digest's row, as the last table that has it says; nil where it is in none.
    func row(of digest: DigestTable.Slot) throws(ScratchFile.Fault) -> Int? {
        let bits = Self.bits(digest)
        guard filter[DigestTable.home(digest, slots)] & bits == bits else { return nil }
        for file in files.reversed() { if let row = try find(digest, in: file) { return row } }
        return nil
    }

    private func find(_ digest: DigestTable.Slot, in file: ScratchFile) throws(ScratchFile.Fault) -> Int? {
        var page = [DigestTable.Slot](repeating: .zero, count: min(Self.pageSlots, slots))
        var slot = DigestTable.home(digest, slots)
        while true {
            let first = slot & ~(page.count - 1)
            let offset = first * MemoryLayout<DigestTable.Slot>.stride
            try page.withUnsafeMutableBufferPointer { slots throws(ScratchFile.Fault) in
                try file.read(UnsafeMutableRawBufferPointer(slots), at: offset)
            }
            for found in page[(slot - first)...] {
                if found == .zero { return nil }
                if let row = DigestTable.row(found, digest) { return row }
            }
            slot = (first + page.count) & (slots - 1)
        }
    }

    /// A digest's bits in its word of the filter; the upper half of `y` is independent of the slot.
    @inline(__always) private static func bits(_ digest: DigestTable.Slot) -> UInt64 {
        1 << (digest.y >> 32 & 63) | 1 << (digest.y >> 38 & 63) | 1 << (digest.y >> 44 & 63)
    }
}
