import Text

/// Makes hashes that stand for addresses where the addresses themselves are not kept: the first 64 bits of an HMAC-SHA256 by the name of a
/// ledger. Whoever has that name can tell whether an address that he knows is meant; nobody can read an address off. Two ledgers have
/// different hashes.
package final class AddressHasher: Sendable {
    private let key: SigningKey

    /// What the text of a hash begins with.
    package static let prefix = "hmac-sha256:"
    /// The first text behind all those of hashes.
    package static let end = "hmac-sha256;"
    private static let digits = 16

    /// - Parameter ledger: the ledger's identity.
    /// - Throws: `SigningKeyError.unavailable`.
    package init(ledger: String) throws(SigningKeyError) {
        key = try SigningKey(Secret("stands for an address of the ledger named \(ledger)"))
    }

    /// The hash of an address; never 0.
    package func hash(_ address: UnsafeRawBufferPointer) -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 8) { digest in
            key.sign(address, UnsafeRawBufferPointer(start: nil, count: 0), into: digest)
            return max(1, digest.load(as: UInt64.self).littleEndian)
        }
    }

    package func hash(_ address: String) -> UInt64 {
        var address = address
        return address.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    /// What stands for an address as a text, as in `hmac-sha256:00c0ffee00c0ffee`. A text that is one already stays.
    package func text(of address: String) -> String { Self.isHash(address) ? address : Self.text(of: hash(address)) }

    package static func text(of hash: UInt64) -> String {
        let text = String(hash, radix: 16)
        return prefix + String(repeating: "0", count: digits - text.count) + text
    }

    package static func isHash(_ text: String) -> Bool { value(of: text) != nil }

    /// The hash that a text stands for; nil for one that is none.
    package static func value(of text: String) -> UInt64? {
        guard text.hasPrefix(prefix), text.utf8.count == prefix.utf8.count + digits else { return nil }
        let rest = text.utf8.dropFirst(prefix.utf8.count)
        guard rest.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 }) else {
            return nil
        }
        return UInt64(Substring(rest), radix: 16)
    }
}
