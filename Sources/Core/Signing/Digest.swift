import CLibCrypto

/// Digests of SHA-256.
enum Digest {
    static let length = 32

    /// Compares in a time that does not tell how much is equal.
    static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }
}
