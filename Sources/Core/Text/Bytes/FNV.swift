/// The FNV-1a hash (draft-eastlake-fnv): fast for short keys. It does not resist keys that are chosen to collide, so its users
/// compare what it finds.
public enum FNV {
    /// The hash of no bytes, of 32 bits.
    @inlinable public static var seed32: UInt32 { 0x811c_9dc5 }

    /// The hash of no bytes, of 64 bits.
    @inlinable public static var seed64: UInt64 { 0xcbf2_9ce4_8422_2325 }

    /// The hash of a text that is longer by one byte.
    @inlinable @inline(__always)
    public static func step(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 0x0100_0193 }

    /// The hash of a text that is longer by one byte.
    @inlinable @inline(__always)
    public static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}
