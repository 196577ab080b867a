import Text

/// A 32-bit hash of an address by which one person's deliveries are found among all (FNV-1a of 32 bits, draft-eastlake-fnv, over the
/// address's bytes with ASCII letters in lower case). Equal addresses have equal fingerprints; what it finds is compared in full.
package enum AddressHash {
    @inlinable
    package static func of(_ address: some Sequence<UInt8>) -> UInt32 {
        var hash = FNV.seed32
        for byte in address { hash = FNV.step(hash, byte.lowercased) }
        return hash
    }

    /// The hash of an address as the ledger keeps it: little-endian.
    static func bytes(_ address: String) -> [UInt8] { withUnsafeBytes(of: of(address.utf8).littleEndian, Array.init) }
}
