import Text

/// The address that our messages come back to. Each message has one of its own (VERP): of `bounces@example.com` it is
/// `bounces+TOKEN@example.com`, where the signed token names mailing and recipient.
///
/// A token has 37 characters of Crockford's base 32, so that it outlives servers which change the case of a local part, and the local part
/// keeps to 64 octets (RFC 5321 section 4.5.3.1.1): the key's number (1), the mailing's id (13), batch (4), place in it (3), and the first
/// 80 bits of the digest (16).
package struct ReturnPath: Sendable, Equatable {
    package static let tokenLength = 37
    /// Octets of a local part before its token at most.
    package static let longestLocalPart = 64 - 1 - tokenLength
    /// The local part where only a domain is given.
    package static let usualLocalPart = "bounces"

    private static let mailingLength = 13
    private static let headLength = 21
    private static let digestBytes = 10

    /// Without a token; all in ASCII.
    package let address: String
    private let prefix: [UInt8]
    private let suffix: [UInt8]

    /// - Parameter text: a domain, or an address; nil for anything else, and for a local part with signs beyond letters, digits and `-_.`.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (local, domain) = parts.count == 2 ? (parts[0], parts[1]) : (Self.usualLocalPart, text)
        let isLocal = local.utf8.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
        let atoms = local.split(separator: ".", omittingEmptySubsequences: false)
        guard isLocal, !atoms.contains(""), local.utf8.count <= Self.longestLocalPart, DomainName.isValid(domain) else { return nil }
        address = "\(local)@\(domain)"
        prefix = Array("\(local)+".utf8)
        suffix = Array("@\(domain)".utf8)
    }

    /// Bytes of each message's address.
    package var length: Int { prefix.count + Self.tokenLength + suffix.count }

    /// Appends the address of one message.
    /// - Parameters:
    ///   - mailing: the mailing's id, of 13 characters.
    ///   - batch: below 2²⁰.
    ///   - index: the recipient's place in the batch, below 2¹⁵.
    /// - Returns: false, with nothing appended, for numbers that a token has no room for.
    package func append(mailing: String, batch: Int, index: Int, keys: SigningKeys, to out: inout [UInt8]) -> Bool {
        guard mailing.utf8.count == Self.mailingLength, 0..<1 << 20 ~= batch, 0..<1 << 15 ~= index else { return false }
        out += prefix
        let start = out.count
        Base32.append(UInt64(keys.number), digits: 1, to: &out)
        out += mailing.utf8
        Base32.append(UInt64(batch), digits: 4, to: &out)
        Base32.append(UInt64(index), digits: 3, to: &out)
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 8) { digest in
            _ = out.withUnsafeBytes { keys.signReturn(UnsafeRawBufferPointer(rebasing: $0[start...]), into: digest) }
            Self.appendDigest(UnsafeRawBufferPointer(digest), to: &out)
        }
        out += suffix
        return true
    }

    /// The first 80 bits, as two numbers of 40.
    private static func appendDigest(_ digest: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        for start in stride(from: 0, to: digestBytes, by: 5) {
            var half: UInt64 = 0
            for place in start..<start + 5 { half = half << 8 | UInt64(digest[place]) }
            Base32.append(half, digits: 8, to: &out)
        }
    }

    /// Which message an address that mail came to is of, as a stranger sent it: its local part ends with a token. Whatever the domain is:
    /// the signature says that it is ours.
    /// - Returns: nil for an address without a token.
    /// - Throws: `TokenFault` for a token that is not of one of the keys.
    package static func message(of address: some StringProtocol, keys: SigningKeys) throws(TokenFault) -> ReturnedMessage? {
        let bytes = Array(address.utf8.prefix(1000))
        let local = bytes[..<(bytes.lastIndex(of: UInt8(ascii: "@")) ?? bytes.count)]
        // A sign stands before it, as `+`; some systems have another.
        guard local.count > tokenLength, !local[local.endIndex - tokenLength - 1].isLetterOrDigit else { return nil }
        let token = local.suffix(tokenLength).map(\.lowercased)
        guard token.allSatisfy({ Base32.number(CollectionOfOne($0)) != nil }) else { return nil }
        var expected: [UInt8] = []
        let number = Base32.number(token[..<1]) ?? 0
        let isSigned = withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 8) { digest in
            let isKnown = token.withUnsafeBytes {
                keys.signReturn(UnsafeRawBufferPointer(rebasing: $0[..<headLength]), by: UInt8(number), into: digest)
            }
            guard isKnown else { return Bool?.none }
            appendDigest(UnsafeRawBufferPointer(digest), to: &expected)
            return token.withUnsafeBytes { token in
                expected.withUnsafeBytes { Digest.isEqual(UnsafeRawBufferPointer(rebasing: token[headLength...]), $0) }
            }
        }
        guard let isSigned else { throw .unknownKey(Int(number)) }
        guard isSigned, let batch = Base32.number(token[14..<18]), let index = Base32.number(token[18..<headLength]) else { throw .forged }
        return ReturnedMessage(
            mailing: String(decoding: token[1..<14], as: UTF8.self), batch: Int(batch), index: Int(index))
    }
}

/// The message that a signed return path names.
package struct ReturnedMessage: Sendable, Hashable {
    /// The mailing's id.
    package let mailing: String
    package let batch: Int
    package let index: Int
}
