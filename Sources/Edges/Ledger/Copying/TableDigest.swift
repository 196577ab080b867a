import Text

/// How many rows a table has, and a digest of them that does not depend on their order: two tables with one digest have the same rows, but
/// for a chance of one in some billion billions. A text counts as its bytes.
struct TableDigest: Equatable {
    private(set) var rows = 0
    private(set) var bytes: Int64 = 0
    private var sum: UInt64 = 0

    var hex: String { String(sum, radix: 16) }

    mutating func add(_ row: [SQLValue]) {
        var hash = FNV.seed64
        for value in row {
            switch value {
            case .null: hash = FNV.step(hash, 0)
            case .bigint(let number):
                hash = FNV.step(hash, 1)
                withUnsafeBytes(of: number.littleEndian) { for byte in $0 { hash = FNV.step(hash, byte) } }
            case .text(let text): hash = Self.step(hash, text.utf8.count, text.utf8)
            case .bytes(let bytes): hash = Self.step(hash, bytes.count, bytes)
            }
            bytes += Int64(value.size)
        }
        rows += 1
        // The bits of a sum of FNV's hashes depend on few bits of them; this mixes each first (the finish of MurmurHash3).
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        sum &+= hash ^ hash >> 33
    }

    private static func step(_ hash: UInt64, _ count: Int, _ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = FNV.step(hash, 2)
        withUnsafeBytes(of: Int64(count).littleEndian) { for byte in $0 { hash = FNV.step(hash, byte) } }
        for byte in bytes { hash = FNV.step(hash, byte) }
        return hash
    }
}
