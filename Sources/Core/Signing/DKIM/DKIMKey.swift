import CLibCrypto
import Foundation
package import Text

/// A private key that signs the messages of a domain (RFC 6376, RFC 8463), and the name under which its public half stands in DNS.
package final class DKIMKey: Sendable {
    /// The algorithms of DKIM, by their names in `a=`.
    package enum Algorithm: String, Sendable, Equatable, CaseIterable {
        case rsa = "rsa-sha256"
        case ed25519 = "ed25519-sha256"

        /// The name in `k=` of the record in DNS (RFC 6376 section 3.6.1, RFC 8463 section 4).
        package var keyType: String { self == .rsa ? "rsa" : "ed25519" }
    }

    /// The bits of an RSA key: verifiers refuse fewer than 1024 and need not take more than 4096 (RFC 8301 section 3.2), and 2048 are asked
    /// of senders.
    package static let fewestBits = 1024
    package static let mostBits = 4096
    package static let recommendedBits = 2048

    package let domain: String
    package let selector: String
    package let algorithm: Algorithm
    /// Of the modulus of RSA; 256 for Ed25519.
    package let bits: Int
    /// libcrypto lets several threads sign by one key, each with a context of its own.
    private nonisolated(unsafe) let key: OpaquePointer

    /// - Parameters:
    ///   - domain: `d=`, an ASCII domain.
    ///   - selector: `s=`, labels of a domain.
    ///   - pem: the private key, PKCS #8 or PKCS #1, without a passphrase.
    /// - Throws: `DKIMKeyError`.
    package init(domain: String, selector: String, pem: Secret) throws(DKIMKeyError) {
        guard DomainName.isValid(domain) else { throw .domain(domain) }
        guard DomainName.isValid(selector.replacing("_", with: "-")) else { throw .selector(selector) }
        let text = pem.exposed
        guard !text.contains("ENCRYPTED") else { throw .encrypted }
        let bytes = Array(text.utf8)
        guard let key = flotilla_read_private_key(bytes, bytes.count) else { throw .unreadable }
        let bits = Int(EVP_PKEY_get_bits(key))
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA where Self.fewestBits...Self.mostBits ~= bits: algorithm = .rsa
        case EVP_PKEY_RSA:
            EVP_PKEY_free(key)
            throw bits < Self.fewestBits ? .short(bits) : .long(bits)
        case EVP_PKEY_ED25519: algorithm = .ed25519
        default:
            EVP_PKEY_free(key)
            throw .otherKind
        }
        self.domain = domain.lowercased()
        self.selector = selector
        self.key = key
        self.bits = algorithm == .rsa ? bits : 256
        // Numbers that make no key together can be read, and cannot sign.
        guard attempt([0]) != nil else { throw .unreadable }
    }

    deinit { EVP_PKEY_free(key) }

    /// The signature of what a verifier computes of the header fields.
    func sign(_ headers: [UInt8]) -> [UInt8] {
        guard let signature = attempt(headers) else {
            // It fails only without memory: the key has signed before.
            preconditionFailure("libcrypto cannot sign by a DKIM key")
        }
        return signature
    }

    private func attempt(_ headers: [UInt8]) -> [UInt8]? {
        var signature = [UInt8](repeating: 0, count: 1024)
        var length = signature.count
        let isSigned: Int32
        switch algorithm {
        case .rsa: isSigned = flotilla_sign(key, "SHA256", headers, headers.count, &signature, &length)
        case .ed25519:
            // RFC 8463 section 3: Ed25519 signs the SHA-256 digest.
            let digest = Digest.sha256(headers)
            isSigned = flotilla_sign(key, nil, digest, digest.count, &signature, &length)
        }
        guard isSigned == 1 else { return nil }
        signature.removeLast(signature.count - length)
        return signature
    }

    /// The value of the TXT record at `SELECTOR._domainkey.DOMAIN` (RFC 6376 section 3.6.1; RFC 8463 section 4 has the bare 32 bytes).
    package var record: String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var length = bytes.count
        let isRead = algorithm == .rsa ? flotilla_public_der(key, &bytes, &length) : EVP_PKEY_get_raw_public_key(key, &bytes, &length)
        precondition(isRead == 1, "libcrypto cannot write a public key")
        return "v=DKIM1; k=\(algorithm.keyType); p=\(Data(bytes[..<length]).base64EncodedString())"
    }

    /// A new private key in PEM (PKCS #8).
    /// - Throws: `DKIMKeyError.unreadable` where libcrypto has no memory.
    package static func generate(_ algorithm: Algorithm) throws(DKIMKeyError) -> Secret {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        var length = bytes.count
        let isMade = flotilla_generate_key(algorithm == .rsa ? Int32(recommendedBits) : 0, &bytes, &length)
        guard isMade == 1 else { throw .unreadable }
        return Secret(String(decoding: bytes[..<length], as: UTF8.self))
    }
}

package enum DKIMKeyError: Error, Equatable, CustomStringConvertible {
    case domain(String)
    case selector(String)
    case encrypted
    case unreadable
    /// With its bits.
    case short(Int)
    case long(Int)
    case otherKind

    package var description: String {
        switch self {
        case .domain(let text): "'\(text)' is no domain that can sign: write it in ASCII, as example.com"
        case .selector(let text): "'\(text)' is no selector: letters, digits and hyphens, as in s2026"
        case .encrypted: "has a passphrase, and nobody is there to type it: write it without one (openssl pkey -in KEY -out NEW)"
        case .unreadable: "is no private key in PEM: make one with flotilla dkim generate DOMAIN"
        case .short(let bits):
            "is an RSA key of \(bits) bits, which receivers refuse: \(DKIMKey.fewestBits) are the fewest, \(DKIMKey.recommendedBits) usual"
        case .long(let bits):
            "is an RSA key of \(bits) bits, which receivers may refuse: \(DKIMKey.mostBits) are the most, \(DKIMKey.recommendedBits) usual"
        case .otherKind: "is neither an RSA nor an Ed25519 key"
        }
    }
}
