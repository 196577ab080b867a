import CLibCrypto
import Synchronization
package import Text

/// A secret that tokens are signed with, by HMAC-SHA256 (RFC 2104).
package final class SigningKey: Sendable {
    /// The fewest bytes of a secret: below the digest's length a key is weaker than the digest (RFC 2104 section 3).
    package static let fewestBytes = 32

    /// Used by one thread at a time, which has `turn`.
    private nonisolated(unsafe) let context: OpaquePointer
    private let turn = Mutex(())

    /// - Throws: `SigningKeyError` for a secret that is too short, and where libcrypto has no memory.
    package init(_ secret: Secret) throws(SigningKeyError) {
        let bytes = Array(secret.exposed.utf8)
        guard bytes.count >= Self.fewestBytes else { throw .tooShort(bytes.count) }
        guard let pointer = flotilla_hmac_new(bytes, bytes.count) else { throw .unavailable }
        context = pointer
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// Puts the digest of `head` and `payload` behind one another into `out`, of 32 bytes.
    func sign(_ head: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) {
        let isSigned = turn.withLock { _ in
            flotilla_hmac(
                context, head.baseAddress?.assumingMemoryBound(to: UInt8.self), head.count,
                payload.baseAddress?.assumingMemoryBound(to: UInt8.self), payload.count,
                out.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        // It fails only without memory for a context that exists, and never by what is signed.
        precondition(isSigned == 1, "libcrypto cannot compute HMAC-SHA256")
    }
}

package enum SigningKeyError: Error, Equatable, CustomStringConvertible {
    /// With the bytes that it has.
    case tooShort(Int)
    case unavailable

    package var description: String {
        switch self {
        case .tooShort(let count):
            "has \(count) bytes, and needs \(SigningKey.fewestBytes) at least: take the output of openssl rand -base64 32"
        case .unavailable: "cannot be used: libcrypto has no memory, or no SHA-256"
        }
    }
}
