/// A 32-bit hash of an address by which one person's deliveries are found among all (FNV-1a of 32 bits, draft-eastlake-fnv, over the
/// address's bytes with ASCII letters in lower case). Equal addresses have equal fingerprints; what it finds is compared in full.
package enum Fingerprint {
    @inlinable
    package static func of(_ address: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        for byte in address {
            hash = (hash ^ UInt32(lowercase(byte))) &* 0x0100_0193
        }
        return hash
    }

    /// Whether two addresses are one but for the case of ASCII letters.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { lowercase($0) == lowercase($1) }
    }

    @inlinable
    package static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
