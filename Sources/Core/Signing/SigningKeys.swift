package import Text

/// The keys of a fleet by their numbers: one signs, and all verify, so that links of years ago still work.
package struct SigningKeys: Sendable {
    /// The numbers that a key may have: five bits of a token.
    package static let numbers = 0...31

    private let keys: [UInt8: SigningKey]
    private let current: SigningKey
    private let currentNumber: UInt8

    /// - Parameter current: the number of the key that signs; nil for the highest.
    /// - Throws: `SigningKeysError`.
    package init(_ secrets: [Int: Secret], current: Int? = nil) throws(SigningKeysError) {
        guard let number = current ?? secrets.keys.max() else { throw .empty }
        var keys: [UInt8: SigningKey] = [:]
        for (number, secret) in secrets {
            guard Self.numbers ~= number else { throw .number(number) }
            do { keys[UInt8(number)] = try SigningKey(secret) } catch { throw .key(number, error) }
        }
        guard let signing = UInt8(exactly: number).flatMap({ keys[$0] }) else { throw .noCurrent(number) }
        self.keys = keys
        self.current = signing
        currentNumber = UInt8(number)
    }

    /// Appends a token of 27 characters.
    /// - Parameter payload: what else is signed; it travels beside the token.
    package func appendToken(_ purpose: TokenPurpose, _ subject: TokenSubject, payload: [UInt8] = [], to out: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Token.head + Digest.length, alignment: 1) { bytes in
            Token.write(purpose, currentNumber, subject, into: bytes)
            current.sign(
                UnsafeRawBufferPointer(rebasing: bytes[..<Token.head]), payload,
                into: UnsafeMutableRawBufferPointer(rebasing: bytes[Token.head...]))
            Base64URL.append(UnsafeRawBufferPointer(rebasing: bytes[..<Token.length]), to: &out)
        }
    }

    /// Whom a token is about.
    /// - Parameters:
    ///   - token: its characters, as a stranger sent them.
    ///   - payload: what was signed with it, as the stranger sent it.
    /// - Throws: `TokenFault`.
    package func verify(
        _ token: some Collection<UInt8>, for purpose: TokenPurpose, payload: [UInt8] = []
    ) throws(TokenFault) -> TokenSubject {
        guard token.count == Token.characters, let bytes = Base64URL.decode(token) else { throw .malformed }
        guard let key = keys[bytes[0] & 31] else { throw .unknownKey(Int(bytes[0] & 31)) }
        guard isSigned(bytes, payload, by: key) else { throw .forged }
        guard bytes[0] >> 5 == purpose.rawValue else { throw .otherPurpose }
        return Token.subject(of: bytes)
    }

    /// Signs the head of a return path by the key of a number.
    /// - Parameters:
    ///   - number: nil for the key that signs.
    ///   - digest: gets 32 bytes.
    /// - Returns: false where there is no such key.
    func signReturn(
        _ head: UnsafeRawBufferPointer, by number: UInt8? = nil, into digest: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let number = number ?? currentNumber
        guard let key = number == currentNumber ? current : keys[number] else { return false }
        var first = TokenPurpose.returnPath.rawValue << 5 | number
        withUnsafeBytes(of: &first) { key.sign($0, head, into: digest) }
        return true
    }

    /// The number of the key that signs.
    package var number: Int { Int(currentNumber) }

    /// By the number of each key what tells whether another process has the same key, and nothing else about it.
    package var checkValues: [Int: String] {
        Dictionary(uniqueKeysWithValues: keys.map { (Int($0.key), $0.value.checkValue) })
    }

    /// A visitor's address as a number that only those who have the keys can tell from others; another after a new key. Never 0.
    package func pseudonym(of address: some Sequence<UInt8>) -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 8) { digest in
            // No token begins with a byte of purpose 0.
            let head: [UInt8] = [0]
            head.withUnsafeBytes { current.sign($0, Array(address), into: digest) }
            return max(1, digest.load(as: UInt64.self))
        }
    }

    private func isSigned(_ token: [UInt8], _ payload: [UInt8], by key: SigningKey) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 1) { digest in
            token.withUnsafeBytes { token in
                key.sign(UnsafeRawBufferPointer(rebasing: token[..<Token.head]), payload, into: digest)
                return Digest.isEqual(
                    UnsafeRawBufferPointer(rebasing: token[Token.head...]), UnsafeRawBufferPointer(rebasing: digest[..<Token.cut]))
            }
        }
    }
}

extension SigningKey {
    /// The first 48 bits of the digest of a fixed text, which is no token and no visitor's address.
    fileprivate var checkValue: String {
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 1) { digest in
            let head: [UInt8] = [0]
            head.withUnsafeBytes { sign($0, Array("check value of a key".utf8), into: digest) }
            var text: [UInt8] = []
            Base64URL.append(UnsafeRawBufferPointer(rebasing: digest[..<6]), to: &text)
            return String(decoding: text, as: UTF8.self)
        }
    }

    fileprivate func sign(_ head: UnsafeRawBufferPointer, _ payload: [UInt8], into out: UnsafeMutableRawBufferPointer) {
        payload.withUnsafeBytes { sign(head, $0, into: out) }
    }
}

/// The form of a token: purpose (3 bits), key (5), mailing (32), batch (20), index (14) and link (6), in network order, and the first 80
/// bits of the digest.
private enum Token {
    static let head = 10
    static let cut = 10
    static let length = head + cut
    static let characters = Base64URL.length(of: length)

    static func write(_ purpose: TokenPurpose, _ key: UInt8, _ subject: TokenSubject, into bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = purpose.rawValue << 5 | key
        for index in 0..<4 { bytes[1 + index] = UInt8(truncatingIfNeeded: subject.mailing >> (24 - 8 * UInt32(index))) }
        for index in 0..<5 { bytes[5 + index] = UInt8(truncatingIfNeeded: subject.place >> (32 - 8 * UInt64(index))) }
    }

    static func subject(of bytes: [UInt8]) -> TokenSubject {
        let mailing = bytes[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return TokenSubject(mailing: mailing, place: bytes[5..<head].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}

/// Why a token is not taken. A visitor learns no more than that it is not.
package enum TokenFault: Error, Equatable, Sendable {
    /// No 27 characters of base64url.
    case malformed
    /// Signed by a key that this fleet does not have, or no token at all.
    case unknownKey(Int)
    /// Changed, or never signed by us.
    case forged
    /// Ours, for something else.
    case otherPurpose
}

package enum SigningKeysError: Error, Equatable, CustomStringConvertible {
    case empty
    case number(Int)
    case key(Int, SigningKeyError)
    case noCurrent(Int)

    package var description: String {
        switch self {
        case .empty: "no key is given: name one by a number of 0 to 31"
        case .number(let number): "\(number) is no number of a key; they have 0 to 31"
        case .key(let number, let error): "key \(number) \(error)"
        case .noCurrent(let number): "key \(number) is to sign, and is not among the keys"
        }
    }
}
