package import Model

/// 32 bits of an address, the same in every mailing, process and version, by which the ledger finds all that went to one
/// address. Two addresses may share one (among 10 million, a lookup meets 0.002 others on average), so a finder compares the
/// address too.
package enum AddressFingerprint {
    /// The fingerprint of an address in its normal form, or, for e-mail, in any mixture of cases.
    package static func of(_ address: String, channel: Channel) -> UInt32 {
        var address = address
        return address.withUTF8 { bytes in
            guard channel == .email else { return ofKey(bytes) }
            var key: [UInt8] = []
            EmailAddress.appendKey(of: bytes, to: &key)
            return key.withUnsafeBufferPointer { ofKey($0) }
        }
    }

    /// The fingerprint of a key: of `EmailAddress.appendKey` for e-mail, of the normal form for all other channels.
    ///
    /// FNV-1a of 64 bits (Fowler, Noll, Vo), folded to 32 by exclusive or.
    package static func ofKey(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
