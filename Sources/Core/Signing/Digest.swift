import CLibCrypto

/// Digests of SHA-256.
package enum Digest {
    static let length = 32

    /// SHA-256 in hexadecimal digits.
    package static func hexadecimal(of bytes: [UInt8]) -> String {
        sha256(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { out, count in
            // It fails only without memory.
            precondition(flotilla_sha256(bytes, bytes.count, out.baseAddress) == 1, "libcrypto cannot compute SHA-256")
            count = length
        }
    }

    /// Compares in a time that does not tell how much is equal.
    static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }
}
